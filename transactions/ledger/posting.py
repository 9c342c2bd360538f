"""Posting: the Python side of the only functions that write the journal.

Every function here is one statement. Outside a transaction that statement is the transaction, and
another may wait for the disk; inside ``atomic()`` it joins it. Accounts are locked in the order of
their numbers, within it.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import psycopg
from django.db import connections

from accounts.numbers import is_bank_account
from core.db.errors import constraint_of, passing_errors_translated
from core.money import Money
from transactions.ledger.arrays import (
    Bigints,
    Booleans,
    Instants,
    Integers,
    Texts,
    adapt_packed_arrays,
)
from transactions.ledger.codes import Code, Refused
from transactions.ledger.connection import QUERIES, fetch_one, ledger_cursor, wait_for_disk

BANK_CLIENT = 0
"""The client of what the bank does by itself."""


class Kind(StrEnum):
    """What a transfer is for. The first four count against the payer's limits."""

    TRANSFER = "transfer"
    WITHDRAWAL = "withdrawal"
    PAYMENT = "payment"
    CARD = "card"
    DEPOSIT = "deposit"
    FEE = "fee"
    INTEREST = "interest"
    PENALTY_INTEREST = "penalty_interest"
    ROUNDING = "rounding"
    LOAN = "loan"
    LOAN_REPAYMENT = "loan_repayment"
    LOAN_INTEREST = "loan_interest"
    LOAN_FEE = "loan_fee"
    LOAN_PENALTY = "loan_penalty"
    LOAN_CAPITALISED = "loan_capitalised"
    LOAN_WRITE_OFF = "loan_write_off"
    LOAN_RECOVERY = "loan_recovery"
    REVERSAL = "reversal"
    MOVE = "move"


class Channel(StrEnum):
    """The way by which a transfer came to the bank."""

    WEB = "web"
    API = "api"
    TERMINAL = "terminal"
    TELLER = "teller"
    MACHINE = "machine"
    BANK = "bank"
    IMPORT = "import"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Who asks for a posting, how, and under which idempotency key.

    ``client`` is the user, or the owner of the API key. ``day`` is the bank's calendar day, against
    which daily limits count. ``holder``, when given, must hold rights on each debit account.
    Without a ``key`` the posting cannot be repeated safely: for the bank's own work alone.
    """

    client: int
    channel: Channel
    day: date
    key: str | None
    holder: int | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer to post: ``amount`` from the ``debit`` to the ``credit`` account.

    ``linked`` ties it to the next item of its batch: both or neither. ``reference`` is refused when
    the client used it before. ``event_at`` is when it happened, if not now.
    """

    debit: int
    credit: int
    amount: Money
    kind: Kind = Kind.TRANSFER
    memo: str | None = None
    reference: str | None = None
    event_at: datetime | None = None
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """A posted transfer; an after-balance is None where the account is summed, or on another node.

    ``settling``: it is decided and the payer's side done, the payee's side on its way.
    """

    transfer_id: UUID
    debit_after: int | None
    credit_after: int | None
    replayed: bool
    settling: bool = False


@dataclass(frozen=True, slots=True)
class HoldReceipt:
    """A hold that was placed."""

    hold_id: UUID
    replayed: bool


@dataclass(frozen=True, slots=True)
class BatchReceipt:
    """A posted batch: which items were refused, and the ids of the others."""

    first_id: UUID
    items: int
    refusals: Mapping[int, Code]
    replayed: bool
    settling: bool = False

    def transfer_id(self, item: int) -> UUID:
        """Return the id of an item (counted from 0) that was not refused."""
        first = self.first_id.int
        ticks = ((first >> 80) << 12 | (first >> 64) & 0xFFF) + item
        high = (ticks >> 12) << 16 | 0x7000 | ticks & 0xFFF
        return UUID(int=high << 64 | first & (1 << 64) - 1)


def post(transfer: Transfer, *, order: Order, using: str = "default") -> Receipt:
    """Post one transfer.

    Raises:
        Refused: with the reason; nothing is written.
        Busy: try again.
        psycopg.OperationalError: it was posted, or it was not; the same order sent again tells.
    """
    parameters = _parameters(transfer, order)
    # The short way is for customers' accounts: it would queue for the bank's, which nobody locks.
    # Inside a transaction it is closed: what fails on it would abort that.
    is_short = not (is_bank_account(transfer.debit) or is_bank_account(transfer.credit))
    if is_short and not connections[using].in_atomic_block:
        with suppress(_NotUsual):
            return _short_way(parameters, using)
    return Receipt(*fetch_one("post_fully", parameters, using))


def answered(transfer: Transfer, *, order: Order, using: str = "default") -> Receipt | None:
    """Return the receipt of this very transfer posted before under its key, or None.

    Writes nothing, and waits for whoever is at the debit account.

    Raises:
        Refused: the key stands for another request.
        Busy: try again.
    """
    row = fetch_one("answered", _parameters(transfer, order), using)
    if row is None:
        return None
    return Receipt(row.transfer_id, row.debit_after, row.credit_after, replayed=True)


def _parameters(transfer: Transfer, order: Order) -> dict[str, Any]:
    return {
        "client": order.client,
        "key": order.key,
        "debit": transfer.debit,
        "credit": transfer.credit,
        "amount": transfer.amount.minor,
        "currency": transfer.amount.currency,
        "kind": transfer.kind,
        "channel": order.channel,
        "day": order.day,
        "holder": order.holder,
        "memo": transfer.memo,
        "reference": transfer.reference,
        "event_at": transfer.event_at,
    }


class _NotUsual(Exception):  # no error: the full way decides
    """A transfer cannot be posted the short way."""


def _short_way(parameters: dict[str, Any], using: str) -> Receipt:
    try:
        row = fetch_one("post", parameters, using)
    except Refused as refusal:
        if refusal.reason is not Code.LONG_WAY:
            raise
        raise _NotUsual from refusal
    except (psycopg.errors.UniqueViolation, psycopg.errors.CheckViolation) as error:
        if constraint_of(error) not in {"request_pkey", "account_floor"}:
            raise
        raise _NotUsual from error
    if not row.flushed:
        wait_for_disk(using)
    return Receipt(row.transfer_id, row.debit_after, row.credit_after, row.replayed)


def post_batch(
    transfers: Sequence[Transfer], *, order: Order, using: str = "default"
) -> BatchReceipt:
    """Post up to 10,000 transfers in one statement, in order, each with its own result.

    Earlier items count for later ones; linked items stand or fall together and form a group. Takes
    the node's batch lock.

    Raises:
        Refused: the batch as a whole is malformed, or its key stands for another one.
        Busy: try again.
    """
    row = run_batch("post_batch", batch_parameters(transfers, order), using)
    return BatchReceipt(row.first_id, len(transfers), refusals_in(row), row.replayed)


def answered_batch(
    parameters: Mapping[str, Any], *, items: int, using: str = "default"
) -> BatchReceipt | None:
    """Return the receipt of this very batch posted before under its key, or None.

    Writes nothing. Takes the node's batch lock, and so waits for the batch that is under way.

    Raises:
        Refused: the key stands for another request.
        Busy: try again.
    """
    row = run_batch("answered_batch", parameters, using)
    if row is None:
        return None
    return BatchReceipt(row.first_id, items, refusals_in(row), replayed=True)


def run_batch(name: str, parameters: Mapping[str, Any], using: str) -> Any:
    """Run a named query with the parameters of a batch, and return its only row.

    Raises:
        Refused, Busy
    """
    with ledger_cursor(using) as cursor:
        adapt_packed_arrays(cursor)
        return cursor.execute(QUERIES[name], parameters, prepare=True).fetchone()


def refusals_in(row: Any) -> dict[int, Code]:
    """Return the refused items (from 0) of a batch's answer."""
    refused = zip(row.refused_items or (), row.refused_codes or (), strict=True)
    return {item - 1: Code(code) for item, code in refused}


@passing_errors_translated()
def batch_parameters(
    transfers: Sequence[Transfer], order: Order, *, peers: Sequence[int] | None = None
) -> dict[str, Any]:
    """Return the batch column by column; columns that no item uses are left out.

    ``peers`` are the accounts at the other end, of a batch between two nodes.

    Raises:
        BadText: a memo or reference holds what cannot be stored.
    """
    debits = [transfer.debit for transfer in transfers]
    credits_ = [transfer.credit for transfer in transfers]
    accounts = sorted({*debits, *credits_})
    place = {number: position for position, number in enumerate(accounts, start=1)}
    memos = [transfer.memo for transfer in transfers]
    references = [transfer.reference for transfer in transfers]
    instants = [transfer.event_at for transfer in transfers]
    linked = [transfer.linked for transfer in transfers]
    return {
        "client": order.client,
        "key": order.key,
        "accounts": Bigints(accounts),
        "debit": Integers([place[number] for number in debits]),
        "credit": Integers([place[number] for number in credits_]),
        "amount": Bigints([transfer.amount.minor for transfer in transfers]),
        "currency": Texts([transfer.amount.currency for transfer in transfers]),
        "kind": Texts([transfer.kind for transfer in transfers]),
        "channel": order.channel,
        "day": order.day,
        "holder": order.holder,
        "linked": Booleans(linked) if any(linked) else None,
        "memo": Texts(memos) if any(memos) else None,
        "reference": Texts(references) if any(references) else None,
        "event_at": Instants(instants) if any(instants) else None,
        "peer": None if peers is None else Bigints(peers),
        "payer": debits[0] if debits else None,
    }


def hold(  # noqa: PLR0913  # a hold is what these are
    *,
    account: int,
    payee: int,
    amount: Money,
    expires_at: datetime,
    order: Order,
    memo: str | None = None,
    using: str = "default",
) -> HoldReceipt:
    """Set money aside for a payee; the same hold for the same key.

    Raises:
        Refused, Busy
    """
    parameters = {
        "client": order.client,
        "key": order.key,
        "account": account,
        "payee": payee,
        "amount": amount.minor,
        "currency": amount.currency,
        "expires_at": expires_at,
        "day": order.day,
        "holder": order.holder,
        "memo": memo,
    }
    return HoldReceipt(*fetch_one("hold", parameters, using))


def capture(
    hold_id: UUID,
    *,
    minor: int,
    order: Order,
    kind: Kind = Kind.PAYMENT,
    memo: str | None = None,
    using: str = "default",
) -> Receipt:
    """Pay ``minor`` units of a hold to its payee and free the rest.

    Raises:
        Refused, Busy
    """
    parameters = {
        "client": order.client,
        "key": order.key,
        "hold": hold_id,
        "amount": minor,
        "channel": order.channel,
        "day": order.day,
        "kind": kind,
        "memo": memo,
    }
    return Receipt(*fetch_one("capture", parameters, using))


def release(hold_id: UUID, *, order: Order, using: str = "default") -> bool:
    """Free a hold's money without paying; False: it was done before, under the same key.

    Raises:
        Refused, Busy
    """
    parameters = {
        "client": order.client,
        "key": order.key,
        "hold": hold_id,
        "day": order.day,
    }
    return not fetch_one("release", parameters, using).replayed


def reverse(
    transfer_id: UUID, *, order: Order, memo: str | None = None, using: str = "default"
) -> UUID:
    """Reverse a transfer, or the whole group it belongs to, and return the first reversal's id.

    Raises:
        Refused, Busy
    """
    parameters = {
        "client": order.client,
        "key": order.key,
        "transfer": transfer_id,
        "channel": order.channel,
        "day": order.day,
        "memo": memo,
    }
    reversal_id: UUID = fetch_one("reverse", parameters, using).reversal_id
    return reversal_id
