"""What the champion says of an application, kept beside it; and of a wish, kept nowhere."""

from dataclasses import dataclass
from datetime import date, datetime
from threading import Thread
from typing import Final
from uuid import UUID

import structlog
from django.db import connection

from core.clock import bank_day
from core.db.errors import Busy
from core.money import Money
from loans.models import LoanApplication
from loans.products import terms_of
from loans.quoting import check_within
from loans.risk.appointing import loaded, serving
from loans.risk.features import Features, NoHistory
from loans.risk.figures import Wish, day_of, features_of_wish, wish_of
from loans.risk.models import RiskModel, RiskScore
from loans.risk.registry import ModelUnfit, Role
from loans.risk.scoring import Review, Score, score_by
from transactions.branches.outcomes import BranchDown, OutcomeUnknown
from transactions.selectors import account_of

_LONGEST_DETAIL: Final = 200
_log: Final = structlog.get_logger(__name__)
_warmed: Final[set[str]] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """A score, by whom, and the features that it is of, None where there are none."""

    score: Score
    features: Features | None
    champion: RiskModel | None
    challenger: RiskModel | None


def assess(application: LoanApplication, *, now: datetime) -> RiskScore:
    """Score an application as of the day it was sent in, and keep it; again changes nothing.

    Whatever is wrong with a model, a branch or a figure is kept as the reason to look without.
    """
    known = score_of(application.pk)
    if known is not None:
        return known
    found = assessed(wish_of(application), on=day_of(application))
    score = found.score
    kept, _is_new = RiskScore.objects.get_or_create(
        application=application,
        rescored_on=None,
        defaults={
            "model": found.champion,
            "probability": score.probability,
            "band": score.band or "",
            "raised": list(score.raised),
            "review": score.review or "",
            "detail": score.detail[:_LONGEST_DETAIL],
            "challenger": found.challenger if score.challenger is not None else None,
            "challenger_probability": score.challenger,
            "features": found.features,
            "scored_at": now,
        },
    )
    return kept


def score_of(application: UUID) -> RiskScore | None:
    """Return what was said of an application when it was sent in, if anything was."""
    return (
        RiskScore.objects.filter(application=application, rescored_on=None)
        .select_related("model")
        .first()
    )


def what_if(
    user: int, *, product: str, account: int, amount: Money, months: int, now: datetime
) -> Assessment:
    """Return what would be said of a wish, were it sent in today. Nothing is kept.

    Raises:
        NoSuchLoanProduct, OutsideProduct
        Refused: no such account of theirs.
        BranchDown: its branch does not answer.
    """
    account_of(user, number=account)
    terms = terms_of(product, amount.currency, now=now)
    check_within(terms, amount, months=months)
    wish = Wish(account=account, terms=terms, amount=amount, months=months)
    return assessed(wish, on=bank_day(now))


def assessed(wish: Wish, *, on: date) -> Assessment:
    """Return what the models say of a wish as of a day; never raises for what they are."""
    champion, challenger = serving(Role.CHAMPION), serving(Role.CHALLENGER)
    features = None
    try:
        features = features_of_wish(wish, on=on)
        score = _scored(features, champion, challenger)
    except NoHistory:
        score = Score(review=Review.NO_HISTORY)
    except (BranchDown, OutcomeUnknown, Busy) as error:
        score = Score(review=Review.NO_ANSWER, detail=error.message)
    return Assessment(score=score, features=features, champion=champion, challenger=challenger)


def warm_up() -> None:
    """Have the champion loaded by a thread: who writes an application will soon send it in."""
    champion = serving(Role.CHAMPION)
    if champion is not None and champion.digest not in _warmed:
        _warmed.add(champion.digest)
        Thread(target=_load, args=(champion,), daemon=True).start()


def _scored(features: Features, champion: RiskModel | None, challenger: RiskModel | None) -> Score:
    if champion is None:
        return Score(review=Review.NO_MODEL)
    try:
        return score_by(
            features,
            champion=lambda: loaded(champion),
            challenger=lambda: loaded(challenger) if challenger else None,
        )
    except Exception as error:  # noqa: BLE001  # no fault of a model keeps an application away
        _log.exception("application_not_scored", model=champion.digest)
        return Score(review=Review.MODEL_UNFIT, detail=type(error).__name__)


def _load(model: RiskModel) -> None:
    try:
        loaded(model)
    except ModelUnfit as error:
        _log.warning("risk_model_unfit", model=model.digest, error=str(error))
    finally:
        connection.close()
