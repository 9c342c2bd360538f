"""How good scores are: the figures of a comparison, each with the interval chance leaves it."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_RESAMPLES: Final = 200
_LEVEL: Final = (2.5, 97.5)


def auc(bad: Array, scores: Array, parts: Array) -> float:
    """Return the area under the ROC curve within each part, weighted by its loans."""
    areas = [
        (part == parts).sum() * _area(bad[part == parts], scores[part == parts])
        for part in np.unique(parts)
    ]
    return float(sum(areas) / len(bad))


def _area(bad: Array, scores: Array) -> float:
    """Return how often a bad loan has the higher score than a good one, ties by half."""
    good = np.sort(scores[~bad])
    above = [np.searchsorted(good, scores[bad], side) for side in ("left", "right")]
    return float(np.mean(above) / len(good))


def kolmogorov_smirnov(bad: Array, scores: Array) -> float:
    """Return the largest distance between the spreads of good and of bad scores."""
    order = np.argsort(scores, kind="stable")
    last_of_a_score = np.append(np.diff(scores[order]) > 0, [True])
    of_bad = np.cumsum(bad[order]) / bad.sum()
    of_good = np.cumsum(~bad[order]) / (~bad).sum()
    return float(np.abs(of_good - of_bad)[last_of_a_score].max())


def figures(bad: Array, scores: Array, probabilities: Array, parts: Array) -> dict[str, float]:
    """Return all figures; the Brier score is of the probabilities, the others of the order.

    For accuracy and F1 as many loans are called bad as there are bad ones.
    """
    called = scores >= np.quantile(scores, 1 - bad.mean())
    hits = (called & bad).sum()
    area = auc(bad, scores, parts)
    return {
        "accuracy": float((called == bad).mean()),
        "auc": area,
        "gini": 2 * area - 1,
        "ks": kolmogorov_smirnov(bad, scores),
        "brier": float(((probabilities - bad) ** 2).mean()),
        "f1": float(2 * hits / (called.sum() + bad.sum())),
    }


def intervals(
    bad: Array, scores: Array, probabilities: Array, parts: Array
) -> dict[str, list[float]]:
    """Return the 95 % interval of each figure, by drawing the loans of each kind anew."""
    random = np.random.default_rng(0)
    kinds = [np.flatnonzero((bad == was) & (parts == part)) for was, part in _kinds(bad, parts)]
    drawn = []
    for _ in range(_RESAMPLES):
        loans = np.concatenate([random.choice(kind, len(kind)) for kind in kinds])
        drawn.append(figures(bad[loans], scores[loans], probabilities[loans], parts[loans]))
    return {
        name: [float(bound) for bound in np.percentile([each[name] for each in drawn], _LEVEL)]
        for name in drawn[0]
    }


def _kinds(bad: Array, parts: Array) -> Sequence[tuple[bool, int]]:
    return sorted({(bool(was), int(part)) for was, part in zip(bad, parts, strict=True)})
