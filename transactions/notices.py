"""What moves on accounts and how they stand, told to their holders as each chose."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core import clock
from notifications.notices.models import NoticeKind
from notifications.notices.preferences import CURRENCY, Wishes, wishes_of
from notifications.notices.telling import NewNotice, tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One side of a posting, as those who hold its account are told of it."""

    people: Sequence[int]
    account: int
    is_out: bool
    amount: int
    after: int
    currency: str
    memo: str
    source: str
    at: datetime


def tell_of_movements(legs: Sequence[Leg], *, now: datetime) -> None:
    """Tell people of movements that are as large as they want to be told of; again is nothing."""
    people = {person for leg in legs for person in leg.people}
    wishes = wishes_of(people)
    notices = [
        notice
        for leg in legs
        for person in leg.people
        for notice in _notices(person, leg, wishes[person])
    ]
    tell(notices, now=now)


def tell_of_status(account: int, *, status: str, people: Sequence[int]) -> None:
    """Tell the holders of an account what it is now, in the transaction of the change."""
    now = clock.now()
    source = f"{account} {status} {now.isoformat()}"
    data = {"account": account, "status": status}
    kind = NoticeKind.STATUS_CHANGED
    tell(
        [
            NewNotice(person=person, kind=kind, source=source, occurred_at=now, data=data)
            for person in people
        ],
        now=now,
    )


def _notices(person: int, leg: Leg, wishes: Wishes) -> Iterator[NewNotice]:
    """Yield what one person is told of one side of a posting."""
    kind = NoticeKind.MONEY_OUT if leg.is_out else NoticeKind.MONEY_IN
    is_ours = leg.currency == CURRENCY
    least = wishes[kind].threshold
    told = {
        "account": leg.account,
        "amount": leg.amount,
        "balance": leg.after,
        "currency": leg.currency,
        "memo": leg.memo,
    }
    if least is None or not is_ours or leg.amount >= least:
        yield _notice(person, kind, leg, told)
    floor = wishes[NoticeKind.LOW_BALANCE].threshold
    if is_ours and floor is not None and leg.is_out and leg.after < floor <= leg.after + leg.amount:
        yield _notice(person, NoticeKind.LOW_BALANCE, leg, {**told, "threshold": floor})


def _notice(person: int, kind: NoticeKind, leg: Leg, data: Mapping[str, Any]) -> NewNotice:
    return NewNotice(person=person, kind=kind, source=leg.source, occurred_at=leg.at, data=data)
