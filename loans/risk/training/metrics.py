"""How good scores are: the figures of a comparison, each with the interval chance leaves it."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss, roc_auc_score

Array = NDArray[Any]

_RESAMPLES: Final = 200
_LEVEL: Final = (2.5, 97.5)


def auc(bad: Array, scores: Array, parts: Array) -> float:
    """Return the area under the ROC curve within each part, weighted by its loans."""
    areas = [
        (part == parts).sum() * roc_auc_score(bad[part == parts], scores[part == parts])
        for part in np.unique(parts)
    ]
    return float(sum(areas) / len(bad))


def kolmogorov_smirnov(bad: Array, scores: Array) -> float:
    """Return the largest distance between the spreads of good and of bad scores."""
    order = np.argsort(scores, kind="stable")
    last_of_a_score = np.append(np.diff(scores[order]) > 0, [True])
    of_bad = np.cumsum(bad[order]) / bad.sum()
    of_good = np.cumsum(~bad[order]) / (~bad).sum()
    return float(np.abs(of_good - of_bad)[last_of_a_score].max())


def figures(bad: Array, scores: Array, parts: Array) -> dict[str, float]:
    """Return all figures. For accuracy and F1 as many are called bad as there are bad ones."""
    called = scores >= np.quantile(scores, 1 - bad.mean())
    hits = (called & bad).sum()
    area = auc(bad, scores, parts)
    return {
        "accuracy": float((called == bad).mean()),
        "auc": area,
        "gini": 2 * area - 1,
        "ks": kolmogorov_smirnov(bad, scores),
        "brier": float(brier_score_loss(bad, scores)),
        "f1": float(2 * hits / (called.sum() + bad.sum())),
    }


def intervals(
    bad: Array, scores: Array, parts: Array, *, of: Callable[..., dict[str, float]] = figures
) -> dict[str, Sequence[float]]:
    """Return the 95 % interval of each figure, by drawing the loans of each kind anew."""
    random = np.random.default_rng(0)
    kinds = [np.flatnonzero((bad == was) & (parts == part)) for was, part in _kinds(bad, parts)]
    drawn = []
    for _ in range(_RESAMPLES):
        loans = np.concatenate([random.choice(kind, len(kind)) for kind in kinds])
        drawn.append(of(bad[loans], scores[loans], parts[loans]))
    return {
        name: [float(bound) for bound in np.percentile([each[name] for each in drawn], _LEVEL)]
        for name in drawn[0]
    }


def _kinds(bad: Array, parts: Array) -> Sequence[tuple[bool, int]]:
    return sorted({(bool(was), int(part)) for was, part in zip(bad, parts, strict=True)})
