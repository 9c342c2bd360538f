"""Scores: how likely a loan goes bad, in which band that is, and why.

Without a model that is what was stored, or with figures that it never learned from, nobody is
scored by guess: the answer is that a person has to look.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

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


class Band(StrEnum):
    """What a customer is told of a score."""

    STRONG = "strong"
    FAIR = "fair"
    WEAK = "weak"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A model's answer; ``probability`` that the loan goes bad is for staff alone.

    A ``review`` says why a person has to decide, and is empty where none has to. Then there may
    be no figures at all. ``challenger`` is what the model that is only watched says.
    """

    probability: float | None = None
    band: Band | None = None
    reasons: Sequence[str] = ()
    review: str = ""
    challenger: float | None = None


def score(row: Row, *, models: Path) -> Score:
    """Score one applicant by the champion of a folder. Never raises for a bad row or model."""
    try:
        champion = load(models, Role.CHAMPION)
        probability, raised = _explained(champion, row)
    except (ModelUnfit, CannotScore) as error:
        return Score(review=str(error))
    unlike = beyond_range(champion.entry.columns, row)
    return Score(
        probability=probability,
        band=band_of(champion, probability),
        reasons=[in_words(column) for column in raised],
        review=f"{unlike}: is beyond what training has seen" if unlike else "",
        challenger=_watched(models, row),
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


def _watched(models: Path, row: Row) -> float | None:
    """Return the challenger's score: nothing that is wrong with it reaches the applicant."""
    try:
        if appointed(models, Role.CHALLENGER) is None:
            return None
        return float(score_many(load(models, Role.CHALLENGER), [row])[0])
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
