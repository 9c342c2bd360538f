"""The worker's side of opening, freezing and closing accounts, and of changing who holds them.

Django must be set up.
"""

from collections.abc import Callable
from typing import Final

import psycopg
from django.db import DatabaseError, InterfaceError, connections

from accounts.models import Branch, Product, User
from core.clock import now
from core.errors import DomainError
from tests.faults._history import Outcome
from tests.faults._nodes import BRANCHES
from transactions import governing
from transactions.branches.agreement import copy_account
from transactions.branches.outcomes import OutcomeUnknown
from transactions.governing import AccountRequest
from transactions.ledger.accounts import Status

OWNER: Final = 1
FRIEND: Final = 2
_NO_ANSWER: Final = (OutcomeUnknown, DatabaseError, InterfaceError, psycopg.Error)


def tell_steps(reached: Callable[[str], None]) -> None:
    """Let ``reached`` know when a branch has changed an account, and when it is copied."""

    def copy_and_tell(number: int) -> None:
        reached("changed")
        copy_account(number)
        reached("copied")

    vars(governing)["copy_account"] = copy_and_tell


def change(kind: str, *, key: str, account: int, reference: str) -> Outcome:
    """Ask the bank once to change an account of Mumbai, and tell how it ended."""
    try:
        _ask(kind, key, account, reference)
    except _NO_ANSWER:
        connections.close_all()
        return Outcome.INFO
    except DomainError:
        connections.close_all()
        return Outcome.FAIL
    return Outcome.OK


def _ask(kind: str, key: str, account: int, reference: str) -> None:
    match kind:
        case "open":
            governing.open_customer_account(_request(key, reference), now=now())
        case "freeze" | "close":
            status = Status.FROZEN if kind == "freeze" else Status.CLOSED
            governing.change_status(account, status=status, client=0, key=key, reason="asked")
        case "give":
            governing.change_holder(account, user=FRIEND, rights="authorised", client=0, key=key)
        case "take":
            governing.change_holder(account, user=OWNER, rights=None, client=0, key=key)


def _request(key: str, reference: str) -> AccountRequest:
    return AccountRequest(
        owner=User(pk=OWNER),
        branch=Branch(number=BRANCHES["MUM"]),
        product=Product.CURRENT,
        currency="INR",
        client=0,
        key=key,
        external_reference=reference,
    )
