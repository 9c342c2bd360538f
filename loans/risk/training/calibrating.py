"""Making a score a probability: a line through the log-odds of loans that models had not seen."""

from typing import Final

import numpy as np
from sklearn.linear_model import LogisticRegression

from loans.risk.training.metrics import Array

_LEAST_SHARE: Final = 1e-6
# So weak a penalty that it only keeps the slope finite where scores part the loans wholly.
_WEAK: Final = 1e3


def log_odds(scores: Array) -> Array:
    """Return the log-odds of scores, kept finite."""
    kept = np.clip(scores, _LEAST_SHARE, 1 - _LEAST_SHARE)
    return np.asarray(np.log(kept / (1 - kept)))


def fit_line(scores: Array, bad: Array) -> tuple[float, float]:
    """Return slope and intercept; a slope that would turn the order of scores is not taken."""
    line = LogisticRegression(C=_WEAK).fit(log_odds(scores).reshape(-1, 1), bad)
    slope = float(line.coef_[0, 0])
    return (slope, float(line.intercept_[0])) if slope > 0 else (1.0, 0.0)


def calibrated(scores: Array, slope: float, intercept: float) -> Array:
    """Return the probabilities that scores stand for."""
    return np.asarray(1 / (1 + np.exp(-(slope * log_odds(scores) + intercept))))


def calibrated_apart(scores: Array, bad: Array, folds: Array) -> Array:
    """Return probabilities whose line never saw the loan itself, for figures and plots."""
    apart = np.zeros_like(scores)
    for fold in np.unique(folds):
        inside = folds == fold
        apart[inside] = calibrated(scores[inside], *fit_line(scores[~inside], bad[~inside]))
    return apart
