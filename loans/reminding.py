"""Reminding borrowers of what is due soon, and of what is late: once for each stage."""

from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from typing import Final

from core.clock import start_of
from loans.models import Instalment
from loans.standing import Standing
from notifications.notices.models import NoticeKind
from notifications.notices.telling import NewNotice, tell

_AHEAD: Final = timedelta(days=3)
_LATE_STAGES: Final = frozenset({1, 15, 30, 60, 90})


def remind(standings: Collection[Standing], *, now: datetime) -> int:
    """Tell borrowers how their loans stand, where that has come to a stage; return how many.

    Telling the same again changes nothing.
    """
    notices = [notice for standing in standings for notice in _notices(standing)]
    tell(notices, now=now)
    return len(notices)


def _notices(standing: Standing) -> Iterator[NewNotice]:
    soon = standing.plan.due_on(standing.day + _AHEAD)
    if soon is not None:
        yield _notice(standing, _cost(standing, soon), soon.due_date)
    if standing.late_since and standing.days_late in _LATE_STAGES:
        yield _notice(standing, standing.due.total, standing.late_since)


def _cost(standing: Standing, instalment: Instalment) -> int:
    return instalment.total + standing.loan.terms.instalment_fee


def _notice(standing: Standing, minor: int, day: date) -> NewNotice:
    loan = standing.loan
    days_late = max(0, (standing.day - day).days)
    return NewNotice(
        person=loan.borrower_id,
        kind=NoticeKind.LOAN,
        source=f"loan {loan.pk} {day:%F} {days_late}",
        occurred_at=start_of(standing.day),
        data={
            "loan": loan.pk,
            "account": loan.account,
            "amount": minor,
            "currency": loan.terms.currency,
            "day": day.isoformat(),
            "days_late": days_late,
        },
    )
