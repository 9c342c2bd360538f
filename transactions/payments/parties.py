"""Who pays and who is paid: looked up where their accounts live, before anything is promised."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg
from django.db import OperationalError

from accounts.numbers import is_bank_account
from core.money import Money
from transactions.branches.following import follow_accounts
from transactions.branches.outcomes import BranchDown
from transactions.branches.registry import node_of
from transactions.ledger.accounts import MOVED, Purpose, Status
from transactions.ledger.codes import Code, Refused
from transactions.ledger.reads import Balance, balances, rights_on
from transactions.parties import payee_of

_PAYABLE: Final = frozenset({Purpose.CUSTOMER, Purpose.LOAN})


@dataclass(frozen=True, slots=True)
class PayeeAccount:
    """An account that can be paid, with enough of its owner's name to notice a mistake."""

    number: int
    currency: str
    name: str


@dataclass(frozen=True, slots=True)
class PayerAccount:
    """An account that a person may pay from."""

    number: int
    currency: str
    rights: str


def payee_account(number: int) -> PayeeAccount:
    """Return an account that can be paid.

    Raises:
        Refused: there is none of a customer's with the number, or it is closed.
        BranchDown: its branch does not answer.
    """
    found = None if is_bank_account(number) else _balance(number)
    if found is None or found.purpose not in _PAYABLE:
        raise Refused(Code.UNKNOWN_CREDIT_ACCOUNT)
    if found.status == Status.CLOSED:
        raise Refused(Code.CREDIT_ACCOUNT_CLOSED)
    return PayeeAccount(number, found.currency, payee_of(number).name)


def payer_account(number: int, *, user: int) -> PayerAccount:
    """Return an account that a person holds rights on.

    Raises:
        Refused: there is none of theirs with the number.
        BranchDown: its branch does not answer.
    """
    found = _balance(number)
    with silence_named_down(node_of(number)):
        rights = rights_on(number, user=user, using=node_of(number))
    if found is None or rights is None:
        raise Refused(Code.UNKNOWN_DEBIT_ACCOUNT)
    return PayerAccount(number, found.currency, rights)


def check_parties(debit: int, credit: int, amount: Money, *, user: int) -> None:
    """Check that a person may pay an amount from one account to another, money and limits apart.

    Raises:
        Refused: it could never be sent.
        BranchDown: a branch does not answer.
    """
    if debit == credit:
        raise Refused(Code.SAME_ACCOUNT)
    payer, payee = payer_account(debit, user=user), payee_account(credit)
    if payer.currency != payee.currency:
        raise Refused(Code.CURRENCIES_DIFFER)
    if payer.currency != amount.currency:
        raise Refused(Code.WRONG_CURRENCY)


def _balance(number: int) -> Balance | None:
    """Return what an account holds, from the node where it lives now."""

    def ask() -> Balance | None:
        node = node_of(number)
        with silence_named_down(node):
            found = next(iter(balances([number], using=node)), None)
        if found is not None and found.status == MOVED:
            raise Refused(Code.ACCOUNT_MOVED)
        return found

    return follow_accounts(number, work=ask)


@contextmanager
def silence_named_down(node: str) -> Iterator[None]:
    """Name the node that does not answer a question; nothing was written.

    Raises:
        BranchDown
    """
    try:
        yield
    except (OperationalError, psycopg.OperationalError) as error:
        raise BranchDown(node) from error
