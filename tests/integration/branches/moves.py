"""What the tests of moving accounts do and look at."""

from uuid import uuid4

import psycopg
import pytest

from core.errors import DomainError
from tests.branches import DEL, MUM, Branches
from tests.factories import inr, instant
from transactions.branches.moving import move_account
from transactions.branches.registry import node_of
from transactions.ledger.accounts import Status, set_holder, set_status
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import Channel, Receipt
from transactions.services import TransferRequest, transfer_funds

ASHA = 7
NODES = ("default", MUM, DEL)


def move(number: int, code: str) -> None:
    move_account(number, code=code, client=ASHA)


def pay(payer: int, payee: int, minor: int, *, key: str | None = None, user: int = ASHA) -> Receipt:
    """Send rupees as a customer does."""
    request = TransferRequest(
        user=user,
        key=key or str(uuid4()),
        channel=Channel.API,
        debit=payer,
        credit=payee,
        amount=inr(minor),
        memo=key,
    )
    return transfer_funds(request, now=instant())


def freeze(number: int, *, node: str, key: str | None = None) -> bool:
    return set_status(number, status=Status.FROZEN, client=0, reason="test", key=key, using=node)


def held_by(number: int, *, user: int = ASHA) -> int:
    """Give a person rights on an account where it lives, and return its number."""
    set_holder(number, user=user, rights="owner", client=0, using=node_of(number))
    return number


def findings() -> list[object]:
    return [finding for node in NODES for finding in check_books(using=node).findings]


def told(branches: Branches, number: int) -> list[tuple[str, int] | None]:
    """Return where each node says that an account went, and how often it has moved."""
    query = "SELECT node, moves FROM ledger.moved WHERE account = %s"
    rows = []
    for node in NODES:
        with psycopg.connect(branches.of(node).app) as connection:
            rows.append(connection.execute(query, [number]).fetchone())
    return rows


def refusal_of(number: int, code: str) -> DomainError:
    with pytest.raises(DomainError) as refused:
        move(number, code)
    return refused.value
