"""All that happened to a customer, in one order of time: money, accounts, log-ins, decisions.

Every event has a place in that order, made as a transfer's id is made of its time; so pages go on
after a place, whatever the event there was.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.approvals import approvals_about
from accounts.models import CredentialChange, LogIn, StatusChange
from accounts.selectors import people_named
from core.db.sql import queries
from core.money import Money
from transactions.branches.asking import ask_everywhere, ask_head_office
from transactions.enquiries.facts import Fact, facts_of, people_in
from transactions.ledger.connection import ledger_cursor
from transactions.ledger.posting import BANK_CLIENT
from transactions.ledger.reads import LAST_ID
from transactions.selectors import TransferView, accounts_of, recorded_at, transfers_of

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "accounts.sql")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(9999, 1, 1, tzinfo=UTC)
_VARIANT: Final = 1 << 63


class EventKind(StrEnum):
    """What an event of the timeline is about."""

    TRANSFER = "transfer"
    ACCOUNT = "account"
    LOG_IN = "log_in"
    STATUS = "status"
    CREDENTIAL = "credential"
    APPROVAL = "approval"

    @property
    def label(self) -> str:
        """What people call it."""
        return str(_LABELS[self])


_LABELS: Final = {
    EventKind.TRANSFER: _("transfers"),
    EventKind.ACCOUNT: _("accounts: limits, status, holders"),
    EventKind.LOG_IN: _("log-ins"),
    EventKind.STATUS: _("status of the person"),
    EventKind.CREDENTIAL: _("passwords, codes and keys"),
    EventKind.APPROVAL: _("requests and approvals"),
}
_ORDER: Final = list(EventKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. ``account`` and ``amount`` are None where there is none.

    ``what`` names it, ``words`` are somebody's own, ``by`` is who did it. ``address`` and
    ``detail`` may be personal data.
    """

    place: UUID
    at: datetime
    kind: EventKind
    what: str
    words: str = ""
    by: str = ""
    account: int | None = None
    transfer: TransferView | None = None
    approval: int | None = None
    amount: Money | None = None
    address: str = ""
    detail: str = ""
    facts: Sequence[Fact] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A page of events, newest first; ``older`` is where the next begins."""

    events: Sequence[Event]
    older: UUID | None


def timeline_of(
    person: int, *, kind: EventKind | None, before: UUID | None, limit: int
) -> Timeline:
    """Return up to ``limit`` events of a customer, newest first, those before a place."""
    accounts = {account.number: account.currency for account in accounts_of(person)}
    wanted = _Wanted(person, accounts, before or LAST_ID, limit + 1)
    kinds = _ORDER if kind is None else [kind]
    found = [event for one in kinds for event in _SOURCES[one](wanted)]
    found.sort(key=lambda event: event.place, reverse=True)
    page = found[:limit]
    return Timeline(events=page, older=page[-1].place if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Whose events, on which accounts in which currencies, before which place, how many at most."""

    person: int
    accounts: Mapping[int, str]
    before: UUID
    most: int

    @property
    def until(self) -> datetime:
        """An instant after the place, by little."""
        milliseconds = (self.before.int >> 80) + 1
        return _EPOCH + min(timedelta(milliseconds=milliseconds), _END - _EPOCH)


def _transfers(wanted: _Wanted) -> list[Event]:
    found = transfers_of(wanted.person, before=wanted.before, limit=wanted.most)
    mine = wanted.accounts
    return [
        Event(
            place=one.transfer_id,
            at=recorded_at(one.transfer_id),
            kind=EventKind.TRANSFER,
            what=one.kind,
            words=one.memo,
            account=one.debit.number if one.debit.number in mine else one.credit.number,
            transfer=one,
            amount=Money(-one.amount.minor, one.amount.currency)
            if one.debit.number in mine
            else one.amount,
        )
        for one in found
    ]


def _account_events(wanted: _Wanted) -> list[Event]:
    asked = {"numbers": list(wanted.accounts), "until": wanted.until}
    rows = ask_everywhere(lambda source: _fetch(source, asked)) if wanted.accounts else []
    named = {row.client for row in rows} - {BANK_CLIENT}
    for row in rows:
        named |= people_in(row.details)
    people = ask_head_office(lambda source: people_named(named, using=source)) or {}
    names = {pk: known.full_name for pk, known in people.items()}
    events = [
        Event(
            place=_place(row.recorded_at, EventKind.ACCOUNT, row.id),
            at=row.recorded_at,
            kind=EventKind.ACCOUNT,
            what=row.action,
            words=row.reason or "",
            by=names.get(row.client, ""),
            account=row.account,
            facts=facts_of(row.details, currency=wanted.accounts[row.account], names=names),
        )
        for row in rows
    ]
    return [event for event in events if event.place < wanted.before]


def _log_ins(wanted: _Wanted) -> list[Event]:
    def event(one: LogIn) -> Event:
        return Event(
            place=_place(one.at, EventKind.LOG_IN, one.pk),
            at=one.at,
            kind=EventKind.LOG_IN,
            what=one.get_result_display(),
            words=one.device,
            address=one.address or "",
        )

    return _from_head_office(
        lambda source: LogIn.objects.using(source).filter(person=wanted.person),
        wanted,
        by="at",
        event=event,
    )


def _status_changes(wanted: _Wanted) -> list[Event]:
    def event(one: StatusChange) -> Event:
        return Event(
            place=_place(one.changed_at, EventKind.STATUS, one.pk),
            at=one.changed_at,
            kind=EventKind.STATUS,
            what=one.get_status_display(),
            words=one.reason,
            by=one.changed_by.full_name if one.changed_by else "",
        )

    return _from_head_office(
        lambda source: (
            StatusChange.objects.using(source)
            .filter(person=wanted.person)
            .select_related("changed_by")
        ),
        wanted,
        by="changed_at",
        event=event,
    )


def _credential_changes(wanted: _Wanted) -> list[Event]:
    def event(one: CredentialChange) -> Event:
        return Event(
            place=_place(one.changed_at, EventKind.CREDENTIAL, one.pk),
            at=one.changed_at,
            kind=EventKind.CREDENTIAL,
            what=one.get_what_display(),
            words=one.device,
            by=one.by.full_name if one.by else "",
            address=one.address or "",
            detail=one.detail,
        )

    return _from_head_office(
        lambda source: (
            CredentialChange.objects.using(source).filter(person=wanted.person).select_related("by")
        ),
        wanted,
        by="changed_at",
        event=event,
    )


def _approvals(wanted: _Wanted) -> list[Event]:
    def event(one: Any) -> Event:
        return Event(
            place=_place(one.asked_at, EventKind.APPROVAL, one.pk),
            at=one.asked_at,
            kind=EventKind.APPROVAL,
            what=f"{one.action} · {one.get_state_display()}",
            words=one.reason,
            by=one.maker.full_name,
            approval=one.pk,
        )

    return _from_head_office(
        lambda source: approvals_about(wanted.person, [*wanted.accounts], using=source),
        wanted,
        by="asked_at",
        event=event,
    )


_SOURCES: Final[Mapping[EventKind, Callable[[_Wanted], list[Event]]]] = {
    EventKind.TRANSFER: _transfers,
    EventKind.ACCOUNT: _account_events,
    EventKind.LOG_IN: _log_ins,
    EventKind.STATUS: _status_changes,
    EventKind.CREDENTIAL: _credential_changes,
    EventKind.APPROVAL: _approvals,
}


def _from_head_office(
    rows: Callable[[str], QuerySet[Any]],
    wanted: _Wanted,
    *,
    by: str,
    event: Callable[[Any], Event],
) -> list[Event]:
    """Return the newest events of rows before the place; several may share its instant."""

    def read(source: str) -> list[Event]:
        known: QuerySet[Model] = rows(source).filter(**{f"{by}__lt": wanted.until})
        events: Iterator[Event] = map(event, known.order_by(f"-{by}", "-pk").iterator(wanted.most))
        return list(islice((one for one in events if one.place < wanted.before), wanted.most))

    return ask_head_office(read) or []


def _place(at: datetime, kind: EventKind, number: int) -> UUID:
    """Return an event's place: its time as in a transfer's id, then its kind and its number."""
    ticks = (at - _EPOCH) // timedelta(microseconds=1) * 4096 // 1000
    time = (ticks >> 12) << 16 | 7 << 12 | ticks & 0xFFF
    return UUID(int=time << 64 | _VARIANT | _ORDER.index(kind) << 56 | number)


def _fetch(source: str, asked: Mapping[str, Any]) -> list[Any]:
    with ledger_cursor(source) as cursor:
        return cursor.execute(_QUERIES["account_events"], asked).fetchall()
