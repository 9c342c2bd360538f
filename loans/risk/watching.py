"""Whether champions still hold: what became of loans, day by day, and a look at each month."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

import structlog
from django.db.models import Exists, OuterRef, Q

from core.clock import bank_day, start_of
from core.errors import DomainError
from loans.models import Loan, LoanApplication, LoanState
from loans.risk.appointing import entry_of, serving
from loans.risk.assessing import assess
from loans.risk.drift import PSI_ALARM, realised_default, shares, stability_index
from loans.risk.fairness import GroupFigures, age_group, bias_over
from loans.risk.figures import day_of
from loans.risk.models import Outcome, RiskModel, RiskScore, RiskWatch
from loans.risk.registry import Role
from loans.risk.scoring import Band
from loans.standing import standings
from transactions.reporting.month import Month

# Of fewer scores the index tells chance alone.
LEAST_SCORES: Final = 50
_DAYS_LATE: Final = 90
_AT_ONCE: Final = 500
_MOST_COMPARED: Final = 5_000
_log: Final = structlog.get_logger(__name__)


def score_left_over(*, now: datetime) -> int:
    """Score what was sent in or lent and was not scored, as of its own day; return how many."""
    sent_in = LoanApplication.objects.filter(Q(submitted_at__isnull=False) | Q(loan__isnull=False))
    scored = RiskScore.objects.filter(application=OuterRef("pk"), rescored_on=None)
    left_over = sent_in.exclude(Exists(scored))
    count = 0
    for application in left_over.select_related("terms").iterator(chunk_size=_AT_ONCE):
        assess(application, now=now)
        count += 1
    return count


def note_outcomes(*, now: datetime) -> int:
    """Note which loans were repaid, and which are bad; what was bad once stays so.

    A branch that is silent has its turn the next day. Returns how many outcomes are new.
    """
    open_ones = RiskScore.objects.filter(
        rescored_on=None, outcome="", application__loan__isnull=False
    )
    repaid = open_ones.filter(application__loan__state=LoanState.REPAID)
    written_off = open_ones.filter(application__loan__state=LoanState.WRITTEN_OFF)
    count = written_off.update(outcome=Outcome.BAD)
    for loans in _in_parts(Loan.objects.filter(state=LoanState.ACTIVE).select_related("terms")):
        bad = open_ones.filter(application__in=_bad_among(loans, now))
        count += bad.update(outcome=Outcome.BAD)
    return count + repaid.update(outcome=Outcome.REPAID)


def watch_month(month: Month) -> RiskWatch | None:
    """Look at a month that is over, once; None while nobody serves, or the model is unfit.

    An alarm is logged as an error, and stands on the page.
    """
    champion = serving(Role.CHAMPION)
    if champion is None:
        return None
    known = RiskWatch.objects.filter(model=champion, month=month.first).first()
    if known is not None:
        return known
    try:
        figures = figures_of(champion, since=month.since, until=month.until)
    except DomainError as error:
        _log.error("risk_model_unfit", model=champion.digest, error=error.message)
        return None
    watch, _is_new = RiskWatch.objects.get_or_create(
        model=champion, month=month.first, defaults=figures
    )
    if watch.is_drifting or watch.is_failing:
        _log.error(
            "risk_model_alarm",
            model=champion.digest,
            month=str(month),
            stability=watch.stability,
            bad=watch.bad,
            expected=watch.expected,
        )
    return watch


def figures_of(model: RiskModel, *, since: datetime, until: datetime) -> dict[str, Any]:
    """Return how a model held from one instant to just before another, as ``RiskWatch`` keeps it.

    Raises:
        ModelUnfit
    """
    entry = entry_of(model)
    mine = RiskScore.objects.filter(model=model, rescored_on=None, probability__isnull=False)
    of_month = mine.filter(scored_at__gte=since, scored_at__lt=until)
    lately = [float(chance or 0) for chance in of_month.values_list("probability", flat=True)]
    stability = None
    if len(lately) >= LEAST_SCORES:
        stability = stability_index(entry.score_shares, shares(lately, entry.score_edges))
    ended = list(mine.exclude(outcome="").only("probability", "challenger_probability", "outcome"))
    chances = [float(one.probability or 0) for one in ended]
    realised = realised_default(chances, [one.outcome == Outcome.BAD for one in ended])
    return {
        "scores": len(lately),
        "stability": stability,
        "ended": realised.loans,
        "bad": realised.bad,
        "expected": realised.expected,
        "challenger_expected": _expected_by_challenger(ended),
        "is_drifting": stability is not None and stability > PSI_ALARM,
        "is_failing": realised.alarm,
    }


def bias_by_age(model: RiskModel) -> list[GroupFigures]:
    """Return whom a model lets through of who applied last, by age: who is not called weak."""
    scored = RiskScore.objects.filter(model=model, rescored_on=None).exclude(band="")
    found = list(scored.select_related("application__applicant")[:_MOST_COMPARED])
    return bias_over(
        [
            age_group(one.application.applicant.birth_date, on=day_of(one.application))
            for one in found
        ],
        [one.band != Band.WEAK for one in found],
        [one.outcome == Outcome.BAD for one in found],
    )


def month_so_far(model: RiskModel, *, now: datetime) -> dict[str, Any]:
    """Return how a model holds in the month that is not over, as ``figures_of``.

    Raises:
        ModelUnfit
    """
    return figures_of(model, since=start_of(bank_day(now).replace(day=1)), until=now)


def _bad_among(loans: Collection[Loan], now: datetime) -> list[Any]:
    try:
        found = standings(loans, day=bank_day(now))
    except DomainError as error:
        _log.warning("outcomes_not_noted", error=error.message)
        return []
    return [one.loan.application_id for one in found.values() if one.days_late > _DAYS_LATE]


def _in_parts(loans: Any) -> Iterator[list[Loan]]:
    rest = loans.order_by("pk").iterator(chunk_size=_AT_ONCE)
    while part := list(islice(rest, _AT_ONCE)):
        yield part


def _expected_by_challenger(ended: Sequence[RiskScore]) -> float | None:
    said = [one.challenger_probability for one in ended if one.challenger_probability is not None]
    return sum(said) if said else None
