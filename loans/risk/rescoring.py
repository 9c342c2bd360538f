"""Scoring the whole book anew: what today's champion says of every loan that runs."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.errors import DomainError
from loans.models import LoanState
from loans.risk.appointing import loaded, serving
from loans.risk.columns import CannotScore
from loans.risk.models import RiskModel, RiskScore
from loans.risk.registry import Role, StoredModel
from loans.risk.scoring import Review, band_of, score_many

_AT_ONCE: Final = 2_000


class NobodyServes(DomainError):
    """No model was appointed champion."""

    code = "no_champion"
    http_status = 409

    def __init__(self) -> None:
        super().__init__(_("No model scores applications: appoint one first."))


def champion_or_refuse() -> RiskModel:
    """Return the champion.

    Raises:
        NobodyServes
    """
    champion = serving(Role.CHAMPION)
    if champion is None:
        raise NobodyServes
    return champion


def rescore_loans(day: date, *, now: datetime, progress: Callable[[int, int | None], None]) -> int:
    """Score every running loan once a day by its features of old; return how many are done.

    A day's scores that are there stay, so that it may be done again after it broke off.

    Raises:
        NobodyServes, ModelUnfit
    """
    champion = champion_or_refuse()
    model = loaded(champion)
    total, done = _running().count(), 0
    progress(0, total)
    while part := list(_running().exclude(application__in=_done_on(day))[:_AT_ONCE]):
        RiskScore.objects.bulk_create(
            [
                _rescored(one, champion, model, chance, day, now)
                for one, chance in _said(model, part)
            ],
            ignore_conflicts=True,
        )
        done += len(part)
        progress(min(done, total), total)
    return done


def _running() -> QuerySet[RiskScore]:
    known = RiskScore.objects.filter(rescored_on=None, features__isnull=False)
    return known.filter(application__loan__state=LoanState.ACTIVE).order_by("pk")


def _done_on(day: date) -> QuerySet[RiskScore]:
    return RiskScore.objects.filter(rescored_on=day).values("application")  # type: ignore[return-value]  # a query set of values


def _said(model: StoredModel, scores: Sequence[RiskScore]) -> list[tuple[RiskScore, float | None]]:
    """Return each with its probability; where one of many cannot be scored, one by one."""
    try:
        chances = [
            float(chance) for chance in score_many(model, [one.features or {} for one in scores])
        ]
        return list(zip(scores, chances, strict=True))
    except CannotScore:
        if len(scores) == 1:
            return [(scores[0], None)]
    return [pair for one in scores for pair in _said(model, [one])]


def _rescored(  # a score has these sides
    first: RiskScore,
    champion: RiskModel,
    model: StoredModel,
    chance: float | None,
    day: date,
    now: datetime,
) -> RiskScore:
    return RiskScore(
        application_id=first.application_id,
        rescored_on=day,
        model=champion,
        probability=chance,
        band=band_of(model, chance) if chance is not None else "",
        review="" if chance is not None else Review.FIGURES_UNFIT,
        scored_at=now,
    )
