"""Accounts of one person at several branches, and what they ask for."""

from collections.abc import Sequence
from uuid import uuid4

from tests.factories import inr, instant
from tests.integration.branches.test_crossing import account_at
from transactions.batching import BatchRequest, BatchResult, post_transfers
from transactions.branches.moving import move_account
from transactions.branches.registry import node_of
from transactions.ledger.accounts import set_holder
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import BANK_CLIENT, Channel, Receipt, Transfer
from transactions.services import TransferRequest, transfer_funds

ASHA = 7
NODES = ("default", "MUM", "DEL")


def held_at(node: str, serial: int, *, balance: int = 0) -> int:
    """Open an account of Asha's on a node, with money in it, and return its number."""
    number = account_at(node, serial, balance=balance)
    set_holder(number, user=ASHA, rights="owner", client=BANK_CLIENT, using=node_of(number))
    return number


def pay(payer: int, payee: int, minor: int, *, key: str | None = None) -> Receipt:
    """Send rupees of Asha's."""
    request = TransferRequest(
        user=ASHA,
        key=key or str(uuid4()),
        channel=Channel.API,
        debit=payer,
        credit=payee,
        amount=inr(minor),
    )
    return transfer_funds(request, now=instant())


def send(transfers: Sequence[Transfer], *, key: str) -> BatchResult:
    """Send many transfers of Asha's in one request."""
    request = BatchRequest(user=ASHA, key=key, channel=Channel.API, transfers=transfers)
    return post_transfers(request, now=instant())


def move(number: int, code: str) -> None:
    """Move an account to another node."""
    move_account(number, code=code, client=BANK_CLIENT)


def findings() -> list[object]:
    """Return what is wrong with the books of the three nodes."""
    return [finding for node in NODES for finding in check_books(using=node).findings]
