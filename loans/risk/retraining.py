"""Training models that can score the bank's applications; one that is trained serves nobody yet."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import DomainError
from loans.risk.appointing import appoint_model, register, serving
from loans.risk.models import Outcome, RiskModel, RiskScore, TrainingData
from loans.risk.registry import Role

if TYPE_CHECKING:
    from loans.risk.training.datasets import Loans

# Two for each fold: fewer tell nothing.
LEAST_OF_EACH: Final = 10
_OF_THE_DEMO: Final = "made by the demo for itself, from invented loans"


class TooFewOutcomes(DomainError):
    """Too few of the bank's own loans were repaid, or went bad, to learn from."""

    code = "too_few_outcomes"
    http_status = 409


def refuse_too_few_outcomes() -> None:
    """Check that the bank's own book is enough to learn from.

    Raises:
        TooFewOutcomes
    """
    known = RiskScore.objects.filter(rescored_on=None, features__isnull=False)
    repaid = known.filter(outcome=Outcome.REPAID).count()
    bad = known.filter(outcome=Outcome.BAD).count()
    if min(repaid, bad) < LEAST_OF_EACH:
        message = _(
            "%(repaid)s loans of the bank were repaid and %(bad)s went bad; to learn from them, "
            "%(least)s of each are needed."
        ) % {"repaid": repaid, "bad": bad, "least": LEAST_OF_EACH}
        raise TooFewOutcomes(message)


def train_for_applications(data: TrainingData, *, now: datetime) -> RiskModel:
    """Train on the bank's own loans, or on invented ones, and register what came of it.

    Raises:
        NotEnoughLoans
    """
    # Training loads what web servers must not.
    from loans.risk.training.families import families_for
    from loans.risk.training.train import train

    loans = _loans_of(data)
    families = families_for(len(loans.rows))
    if data == TrainingData.INVENTED:
        # Nothing is to be found out about loans that were made up: the demo takes the quickest.
        logistic = next(each for each in families if each.name == "logistic")
        families = [replace(logistic, grid={"model__C": (0.1,)})]
    folder = settings.RISK_MODELS / str(data)
    trained = train(loans, families=families, folder=folder, seeds=[0], role=None, now=now)
    return register(folder, trained.digest, data=data, bias=trained.bias)


def make_demo_model(*, now: datetime) -> RiskModel | None:
    """Train on invented loans and appoint the model, unless another serves already."""
    if serving(Role.CHAMPION) is not None:
        return None
    model = train_for_applications(TrainingData.INVENTED, now=now)
    appoint_model(model, role=Role.CHAMPION, reason=_OF_THE_DEMO, now=now)
    return model


def _loans_of(data: TrainingData) -> "Loans":
    from loans.risk.training.book import book_loans
    from loans.risk.training.invented import invented_loans

    return invented_loans() if data == TrainingData.INVENTED else book_loans()
