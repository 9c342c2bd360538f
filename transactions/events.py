"""What happens on accounts, told to those who listen: fed from the nodes' own journals.

Run by `manage.py watch` and not by Celery: it stands beside the other tailers there, has a thread
for each node, so that one that hangs keeps no other waiting, and needs PostgreSQL alone. With
Celery or its broker down, nothing is lost and nothing is late to be recorded; delivering waits.

The events are written to the head office and committed before a node's cursor moves on. Whoever
dies in between leaves a page that is read again, and events have the same ids then: each is
recorded once. The rights on an account are those of the instant in which it is read, a second or
two after the posting.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from accounts.models import Holding
from core.api.representation import decimal_of, given, instant
from core.db.sql import queries
from notifications.notices.preferences import people_told_of_movements
from notifications.webhooks.events import NewEvent, listening_people, record_events
from notifications.webhooks.models import EventType
from transactions.ledger.connection import fetch_one, ledger_cursor
from transactions.ledger.tailer import locked_cursor
from transactions.notices import Leg, tell_of_movements

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "events.sql")
_PAGE: Final = 5_000

Holders = Callable[[int, Sequence[int] | None, bool], Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """One of the histories of a node: its tailer, its queries, and the events of one row."""

    reader: str
    query: str
    events_of: Callable[[Any, str, Holders], Iterator[NewEvent]]
    legs_of: Callable[[Any, Holders], Iterator[Leg]] | None = None


def feed_events(*, node: str, now: datetime) -> None:
    """Record what happened on a node since the last time, for those who listen.

    Opens two transactions on the node for each page, in which the tailer is locked; another of its
    name waits. The head office has its own, committed first.

    Raises:
        Refused: a cursor is another server's (after a restore); the tailer must be based anew.
    """
    for source in _SOURCES:
        while _feed_page(source, node, now):
            pass


def _feed_page(source: _Source, node: str, now: datetime) -> bool:
    """Feed one page, and tell whether there may be more.

    What is told is on the node's disk by then. What came in meanwhile waits for the next time:
    whoever reads on until nothing is left never rests on a busy node, and commits for every few
    rows.
    """
    page: dict[str, Any] = {"name": source.reader, "limit": _PAGE}
    with transaction.atomic(using=node, durable=True):
        cursor = locked_cursor(source.reader, using=node)
        end = next(iter(_rows(f"{source.query}_end", page, node)), None)
        if end is None:
            return False
    with transaction.atomic(using=node, durable=True):
        if locked_cursor(source.reader, using=node) != cursor:
            return True
        page |= {"tx": end.tx, "id": end.id}
        # Asked after the end was read: who listens to anything before it is known by now.
        listeners = listening_people() | (people_told_of_movements() if source.legs_of else set())
        if listeners:
            rows = _rows(source.query, {**page, "listeners": list(listeners)}, node)
            _tell(source, rows, node, listeners, now)
        fetch_one("advance_tail", {"name": source.reader, "tx": end.tx, "id": end.id}, node)
    return bool(end.size == _PAGE)


def _rows(query: str, parameters: dict[str, Any], node: str) -> list[Any]:
    with ledger_cursor(node) as cursor:
        return cursor.execute(_QUERIES[query], parameters, prepare=True).fetchall()


def _tell(
    source: _Source, rows: Sequence[Any], node: str, listeners: set[int], now: datetime
) -> None:
    """Record what rows mean for webhooks and for notices. Both are recorded once."""
    holders = _holders_among(listeners)
    events = [event for row in rows for event in source.events_of(row, node, holders)]
    record_events(events, now=now)
    if source.legs_of:
        tell_of_movements([leg for row in rows for leg in source.legs_of(row, holders)], now=now)


def _holders_among(listeners: set[int]) -> Holders:
    copies: dict[int, list[int]] = {}

    def holders(account: int, people: Sequence[int] | None, has_moved: bool) -> Sequence[int]:  # noqa: FBT001  # a column
        """Return who is told of an account; of one that has left, by the head office's copy."""
        if people or not has_moved:
            return people or ()
        if account not in copies:
            held = Holding.objects.filter(account=account, user__in=listeners)
            copies[account] = list(held.values_list("user", flat=True))
        return copies[account]

    return holders


def _legs(row: Any, holders: Holders) -> Iterator[Leg]:
    """Yield the sides of a posting that anybody is told of."""
    for is_out, account, after, people, has_moved in (
        (True, row.debit, row.debit_after, row.debit_people, row.debit_moved),
        (False, row.credit, row.credit_after, row.credit_people, row.credit_moved),
    ):
        told = holders(account, people, has_moved)
        if told and after is not None:
            yield Leg(
                people=told,
                account=account,
                is_out=is_out,
                amount=row.amount,
                after=after,
                currency=row.currency,
                memo=row.memo or "",
                source=str(row.id),
                at=row.recorded_at,
            )


def _posting_events(row: Any, _node: str, holders: Holders) -> Iterator[NewEvent]:
    """Yield the events of a posting: for each side those who hold it, and for both a reversal's."""
    payers = holders(row.debit, row.debit_people, row.debit_moved)
    payees = holders(row.credit, row.credit_people, row.credit_moved)
    told = _posting(row)
    for people, account, after, kind in (
        (payers, row.debit, row.debit_after, EventType.TRANSFER_DEBITED),
        (payees, row.credit, row.credit_after, EventType.TRANSFER_CREDITED),
    ):
        mine = given(account=str(account), balance_after=decimal_of(after, row.currency))
        for person in people:
            yield _event(person, kind, row.id, row.recorded_at, {**mine, **told})
    if row.reverses is not None:
        reversal = {"reverses": str(row.reverses), **told}
        for person in {*payers, *payees}:
            yield _event(person, EventType.TRANSFER_REVERSED, row.id, row.recorded_at, reversal)


def _posting(row: Any) -> dict[str, Any]:
    """Return what both sides are told of a posting. The account at another node is its peer."""
    debit, credit = row.debit, row.credit
    if row.peer is not None:
        is_out = row.debit_after is not None
        debit, credit = (debit, row.peer) if is_out else (row.peer, credit)
    return given(
        id=str(row.id),
        debit_account=str(debit),
        credit_account=str(credit),
        amount=decimal_of(row.amount, row.currency),
        currency=row.currency,
        kind=row.kind,
        channel=row.channel,
        memo=row.memo,
        event_at=instant(row.event_at),
        recorded_at=instant(row.recorded_at),
    )


def _hold_events(row: Any, _node: str, holders: Holders) -> Iterator[NewEvent]:
    """Yield a hold's placing, and its end when it has one."""
    told = given(
        id=str(row.id),
        account=str(row.account),
        payee_account=str(row.payee),
        amount=decimal_of(row.amount, row.currency),
        currency=row.currency,
        memo=row.memo,
        placed_at=instant(row.placed_at),
        expires_at=instant(row.expires_at),
    )
    captured = row.captured or None
    end = given(
        captured=decimal_of(captured, row.currency),
        transfer=None if row.transfer_id is None else str(row.transfer_id),
    )
    for person in holders(row.account, row.people, row.has_moved):
        yield _event(person, EventType.HOLD_PLACED, row.id, row.placed_at, told)
        if row.ended_at is not None:
            ended = {**told, **end, "ended_at": instant(row.ended_at)}
            yield _event(person, _ENDS[row.state], row.id, row.ended_at, ended)


def _status_events(row: Any, node: str, holders: Holders) -> Iterator[NewEvent]:
    """Yield a change of an account's status. Its number counts on its node only."""
    told = {
        "account": str(row.account),
        "status": row.status,
        "status_before": row.status_before,
        "recorded_at": instant(row.recorded_at),
    }
    for person in holders(row.account, row.people, row.has_moved):
        yield _event(
            person,
            EventType.ACCOUNT_STATUS_CHANGED,
            f"{node} {row.id}",
            row.recorded_at,
            told,
        )


def _event(
    person: int, kind: EventType, source: UUID | str, at: datetime, data: dict[str, Any]
) -> NewEvent:
    return NewEvent(owner=person, type=kind, source=str(source), occurred_at=at, data=data)


_ENDS: Final = {
    "captured": EventType.HOLD_CAPTURED,
    "released": EventType.HOLD_RELEASED,
    "expired": EventType.HOLD_EXPIRED,
}
_SOURCES: Final = (
    _Source(reader="webhooks", query="journal", events_of=_posting_events, legs_of=_legs),
    _Source(reader="webhooks_accounts", query="account", events_of=_status_events),
    _Source(reader="webhooks_holds", query="hold", events_of=_hold_events),
)
