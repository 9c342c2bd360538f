"""This bank's own loans, by what was known on the day they were applied for."""

from collections.abc import Sequence

from loans.risk.fairness import age_group
from loans.risk.features import NAMES
from loans.risk.figures import day_of
from loans.risk.models import Outcome, RiskScore
from loans.risk.training.datasets import Loans


def book_loans() -> Loans:
    """Return the loans whose outcome is known, with their features as they were kept.

    The bank does not ask for anybody's gender, so fairness is measured over age alone.
    """
    of_applications = RiskScore.objects.filter(rescored_on=None, application__loan__isnull=False)
    known = of_applications.exclude(outcome="").select_related("application__applicant")
    usable = list(known.filter(features__isnull=False).order_by("pk"))
    return Loans(
        name="book",
        ids=[str(one.application_id) for one in usable],
        rows=[{name: (one.features or {})[name] for name in NAMES} for one in usable],
        bad=[one.outcome == Outcome.BAD for one in usable],
        parts=[0] * len(usable),
        groups={"age": _ages(usable)},
        left_out={
            "outcome unknown": of_applications.filter(outcome="").count(),
            "no earlier movements": known.filter(features__isnull=True).count(),
        },
    )


def _ages(scores: Sequence[RiskScore]) -> list[str]:
    applications = [one.application for one in scores]
    return [age_group(one.applicant.birth_date, on=day_of(one)) for one in applications]
