"""Loans of other books in the ledger: opened, lent and repaid as they were, from other banks.

Nothing of it touches the accounts that paid: their own histories tell of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from accounts.numbers import account_number
from core.clock import bank_day
from core.money import Money
from transactions.chart import BankAccounts, Place
from transactions.imports.people import HEAD_OFFICE
from transactions.ledger.accounts import (
    DEBIT_NORMAL,
    Opening,
    Purpose,
    next_serials,
    open_accounts,
)
from transactions.ledger.codes import Refused
from transactions.ledger.posting import (
    BANK_CLIENT,
    Channel,
    Kind,
    Order,
    Transfer,
    post_batch,
)
from transactions.lending import LoanAccounts

_CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True)
class Repaid:
    """What was repaid of a loan at once, in minor units; its ``reference`` is its own for good."""

    reference: str
    minor: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanHistory:
    """A loan of other books, in minor units; ``reference`` is that of its paying out."""

    accounts: LoanAccounts
    reference: str
    amount: int
    lent_at: datetime
    repaid: Sequence[Repaid]


def open_brought_in(count: int, *, currency: str) -> list[LoanAccounts]:
    """Open the accounts of so many loans at head office. Needs a transaction.

    Raises:
        Refused: a number is taken.
    """
    serials = next_serials(2 * count)
    numbers = [account_number(branch=HEAD_OFFICE, serial=serial) for serial in serials]
    found = [
        LoanAccounts(number, dues, currency)
        for number, dues in zip(numbers[::2], numbers[1::2], strict=True)
    ]
    openings = [
        Opening(number=number, currency=currency, purpose=purpose, side=DEBIT_NORMAL)
        for one in found
        for number, purpose in ((one.number, Purpose.LOAN), (one.dues, Purpose.LOAN_DUES))
    ]
    open_accounts(openings, client=BANK_CLIENT)
    return found


def post_histories(histories: Sequence[LoanHistory]) -> Mapping[str, UUID]:
    """Post loans with their repayments, and return the transfers' ids by their references.

    Needs a transaction: all or none.

    Raises:
        Refused: a reference was used before.
        Busy: try again.
    """
    legs = [leg for one in histories for leg in _legs(one)]
    found: dict[str, UUID] = {}
    for begin in range(0, len(legs), _CHUNK):
        chunk = legs[begin : begin + _CHUNK]
        day = bank_day(max(leg.event_at for leg in chunk if leg.event_at))
        order = Order(client=BANK_CLIENT, channel=Channel.IMPORT, day=day, key=None)
        receipt = post_batch(chunk, order=order)
        if receipt.refusals:
            raise Refused(min(receipt.refusals.values()))
        found |= {str(leg.reference): receipt.transfer_id(n) for n, leg in enumerate(chunk)}
    return found


def _legs(history: LoanHistory) -> Iterator[Transfer]:
    accounts = history.accounts
    elsewhere = BankAccounts(HEAD_OFFICE, accounts.currency).number(Place.NOSTRO)
    memo = f"Loan {accounts.number}"
    yield Transfer(
        accounts.number,
        elsewhere,
        Money(history.amount, accounts.currency),
        Kind.LOAN,
        memo,
        reference=history.reference,
        event_at=history.lent_at,
    )
    for one in history.repaid:
        yield Transfer(
            elsewhere,
            accounts.number,
            Money(one.minor, accounts.currency),
            Kind.LOAN_REPAYMENT,
            memo,
            reference=one.reference,
            event_at=one.at,
        )
