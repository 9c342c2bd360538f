"""Scores: how likely a loan goes bad, in which band that is, and why.

Without a model that is what was stored, or with figures that it never learned from, nobody is
scored by guess: the answer is that a person has to look.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from loans.risk.columns import CannotScore, Column, Row, beyond_range, encode
from loans.risk.reasons import in_words
from loans.risk.registry import ModelUnfit, Role, StoredModel, appointed, load

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_REASONS: Final = 3
_LEAST_SHARE: Final = 1e-6
# By how much of the log-odds a figure must have raised the risk to be named.
_WORTH_NAMING: Final = 0.05


class Band(TextChoices):
    """What a customer is told of a score."""

    STRONG = "strong", _("strong")
    FAIR = "fair", _("fair")
    WEAK = "weak", _("weak")


class Review(TextChoices):
    """Why a score is not to be relied on, and a person has to look without it."""

    NO_MODEL = "no_model", _("no model scores applications")
    MODEL_UNFIT = "model_unfit", _("the model is missing or was altered")
    NO_HISTORY = "no_history", _("nothing has moved on the account before")
    NO_ANSWER = "no_answer", _("the account's branch did not answer")
    FIGURES_UNFIT = "figures_unfit", _("a figure is missing, or of a kind never learned from")
    BEYOND_RANGE = "beyond_range", _("a figure is beyond those learned from")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A model's answer; ``probability`` that the loan goes bad is for staff alone.

    ``raised`` are the columns that raised it most. With a ``review`` a person has to look without
    it, and there may be no figures at all; ``detail`` says which figure or file. ``challenger`` is
    what the model that is only watched says.
    """

    probability: float | None = None
    band: Band | None = None
    raised: Sequence[str] = ()
    review: Review | None = None
    detail: str = ""
    challenger: float | None = None

    @property
    def reasons(self) -> list[str]:
        """What raised it, as an applicant understands it."""
        return [in_words(column) for column in self.raised]


def score(row: Row, *, models: Path) -> Score:
    """Score one applicant by the champion of a folder. Never raises for a bad row or model."""
    return score_by(
        row,
        champion=lambda: load(models, Role.CHAMPION),
        challenger=lambda: (
            load(models, Role.CHALLENGER) if appointed(models, Role.CHALLENGER) else None
        ),
    )


def score_by(
    row: Row,
    *,
    champion: Callable[[], StoredModel],
    challenger: Callable[[], StoredModel | None],
) -> Score:
    """Score one applicant by models that may raise ``ModelUnfit``; never raises itself."""
    try:
        model = champion()
        probability, raised = _explained(model, row)
    except ModelUnfit as error:
        return Score(review=Review.MODEL_UNFIT, detail=str(error))
    except CannotScore as error:
        return Score(review=Review.FIGURES_UNFIT, detail=str(error))
    unlike = beyond_range(model.entry.columns, row)
    return Score(
        probability=probability,
        band=band_of(model, probability),
        raised=raised,
        review=Review.BEYOND_RANGE if unlike else None,
        detail=f"{unlike}: is beyond what training has seen" if unlike else "",
        challenger=_watched(challenger, row),
    )


def score_many(model: StoredModel, rows: Sequence[Row]) -> "NDArray[np.float64]":
    """Return the probabilities of many rows.

    Raises:
        CannotScore: naming the first column that is missing or unfit.
    """
    return _probabilities(model, [encode(model.entry.columns, row) for row in rows])


def band_of(model: StoredModel, probability: float) -> Band:
    """Return in which band a probability is."""
    if probability >= model.entry.weak_from:
        return Band.WEAK
    return Band.FAIR if probability >= model.entry.fair_from else Band.STRONG


def _watched(challenger: Callable[[], StoredModel | None], row: Row) -> float | None:
    """Return the challenger's score: nothing that is wrong with it reaches the applicant."""
    try:
        model = challenger()
        return None if model is None else float(score_many(model, [row])[0])
    except (ModelUnfit, CannotScore):
        return None


def _explained(model: StoredModel, row: Row) -> tuple[float, list[str]]:
    """Return the probability, and the columns that raised it most, the worst first.

    A column's part is how much better the score were, had it been as usual among repaid loans.
    """
    own = encode(model.entry.columns, row)
    variants = [own, *_with_one_typical(model.entry.columns, own)]
    probabilities = _probabilities(model, variants)
    base = _log_odds(probabilities[0])
    parts = [
        (base - _log_odds(changed), column.name)
        for column, changed in zip(model.entry.columns, probabilities[1:], strict=True)
    ]
    raised = sorted((part for part in parts if part[0] > _WORTH_NAMING), reverse=True)
    return float(probabilities[0]), [name for _part, name in raised[:_MOST_REASONS]]


def _with_one_typical(columns: Sequence[Column], own: list[float]) -> list[list[float]]:
    variants, start = [], 0
    for column in columns:
        end = start + column.width
        variants.append([*own[:start], *column.numbers(column.typical), *own[end:]])
        start = end
    return variants


def _probabilities(model: StoredModel, numbers: Sequence[list[float]]) -> "NDArray[np.float64]":
    import numpy as np

    raw = model.classifier.predict_proba(np.asarray(numbers, dtype=np.float64))[:, 1]
    raw = np.clip(raw.astype(np.float64), _LEAST_SHARE, 1 - _LEAST_SHARE)
    calibrated = model.entry.slope * np.log(raw / (1 - raw)) + model.entry.intercept
    return np.asarray(1 / (1 + np.exp(-calibrated)))


def _log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))
