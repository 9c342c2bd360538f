"""How default risk stands, for the pages of staff."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Count, Max, Sum
from django.utils.translation import gettext as _

from core.jobs.models import Job
from loans.applying import applications_sent_by
from loans.models import LoanApplication
from loans.risk.appointing import serving
from loans.risk.fairness import GroupFigures
from loans.risk.models import RiskAppointment, RiskModel, RiskScore, RiskWatch
from loans.risk.registry import ModelUnfit, Role
from loans.risk.scoring import Band, Review
from loans.risk.watching import bias_by_age, month_so_far

JOBS: Final = ("train_risk_model", "train_demo_risk_model", "rescore_book")
_MODELS: Final = 20
_MONTHS: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """Who serves in a role, and since when."""

    role: Role
    appointment: RiskAppointment | None

    @property
    def model(self) -> RiskModel | None:
        """The model, if any."""
        return self.appointment.model if self.appointment else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescored:
    """What was said of the book when it was last scored anew; ``bad`` is how many would be bad."""

    day: date
    loans: int
    bad: float
    bands: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskOverview:
    """All that the page tells. ``month`` are the figures of this month so far."""

    roles: Sequence[Serving]
    models: Sequence[RiskModel]
    watches: Sequence[RiskWatch]
    month: dict[str, Any] | None
    fault: str
    biases: Sequence[tuple[str, Sequence[GroupFigures]]]
    reviews: Sequence[tuple[str, int]]
    rescored: Rescored | None
    jobs: Sequence[Job]

    @property
    def champion(self) -> RiskModel | None:
        """Who scores applications."""
        return self.roles[0].model


def risk_overview(*, now: datetime) -> RiskOverview:
    """Return how the models serve, how they held, and what they said."""
    champion = serving(Role.CHAMPION)
    month, fault = _month(champion, now)
    return RiskOverview(
        roles=[_serving(role) for role in Role],
        models=list(RiskModel.objects.all()[:_MODELS]),
        watches=list(RiskWatch.objects.select_related("model")[:_MONTHS]),
        month=month,
        fault=fault,
        biases=_biases(champion) if champion else [],
        reviews=_reviews(),
        rescored=_rescored(),
        jobs=list(Job.objects.filter(name__in=JOBS)[:5]),
    )


def applications_with_scores(user: int) -> list[tuple[LoanApplication, RiskScore | None]]:
    """Return what a person sent in, the newest first, each with what was said of it."""
    applications = applications_sent_by(user)
    found = RiskScore.objects.filter(application__in=applications, rescored_on=None)
    scores = {one.application_id: one for one in found}
    return [(one, scores.get(one.pk)) for one in applications]


def _serving(role: Role) -> Serving:
    known = RiskAppointment.objects.filter(role=role)
    return Serving(
        role=role,
        appointment=known.select_related("model", "asked_by", "approved_by").first(),
    )


def _month(champion: RiskModel | None, now: datetime) -> tuple[dict[str, Any] | None, str]:
    if champion is None:
        return None, ""
    try:
        return month_so_far(champion, now=now), ""
    except ModelUnfit as error:
        return None, error.message


def _biases(champion: RiskModel) -> list[tuple[str, Sequence[GroupFigures]]]:
    """Return whom the champion lets through, by title: in training, and of those who applied."""
    titles = {
        "age": _("Fairness over age, in training"),
        "gender": _("Fairness over gender, in training"),
    }
    trained: list[tuple[str, Sequence[GroupFigures]]] = [
        (titles[over], [GroupFigures(**group) for group in groups])
        for over, groups in champion.bias.items()
    ]
    applied = bias_by_age(champion)
    if not applied:
        return trained
    return [*trained, (_("Fairness over age, of who applied here"), applied)]


def _reviews() -> list[tuple[str, int]]:
    """Return why how many applications that wait have to be looked at without a score."""
    waiting = RiskScore.objects.filter(rescored_on=None, application__state="submitted")
    counts = waiting.exclude(review="").values_list("review").annotate(Count("pk"))
    return [(str(Review(code).label), count) for code, count in counts.order_by("review")]


def _rescored() -> Rescored | None:
    day = RiskScore.objects.aggregate(day=Max("rescored_on"))["day"]
    if day is None:
        return None
    of_day = RiskScore.objects.filter(rescored_on=day)
    bands = dict(of_day.exclude(band="").values_list("band").annotate(Count("pk")).order_by())
    return Rescored(
        day=day,
        loans=of_day.count(),
        bad=of_day.aggregate(bad=Sum("probability"))["bad"] or 0.0,
        bands=[(str(band.label), bands.get(band, 0)) for band in Band],
    )
