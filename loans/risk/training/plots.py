"""Pictures for the model card."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from loans.risk.training.metrics import Array

_SIZE: Final = (6.4, 4.8)
_INK: Final = "#1f4e79"
_BAD: Final = "#b3261e"
_PALE: Final = "#8a8f98"
_BINS: Final = 20
_CALIBRATION_BINS: Final = 8


def draw_all(folder: Path, bad: Array, probabilities: Array, effects: Mapping[str, float]) -> None:
    """Write the pictures of a model into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _draw(folder / "roc.png", lambda axes: _roc(axes, bad, probabilities))
    _draw(folder / "calibration.png", lambda axes: _calibration(axes, bad, probabilities))
    _draw(folder / "scores.png", lambda axes: _spread(axes, bad, probabilities))
    _draw(folder / "effects.png", lambda axes: _effects(axes, effects))


def _draw(path: Path, onto: Callable[[Any], None]) -> None:
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    onto(axes)
    figure.savefig(path, dpi=120, metadata={"Software": None})


def _roc(axes: Any, bad: Array, probabilities: Array) -> None:
    refused_good, refused_bad, _ = roc_curve(bad, probabilities)
    axes.plot([0, 1], [0, 1], color=_PALE, linestyle="--", label="chance")
    axes.plot(refused_good, refused_bad, color=_INK, label="unseen loans")
    axes.set(title="ROC", xlabel="good loans refused", ylabel="bad loans refused")
    axes.legend(frameon=False, loc="lower right")


def _calibration(axes: Any, bad: Array, probabilities: Array) -> None:
    bins = np.array_split(np.argsort(probabilities), _CALIBRATION_BINS)
    said = [probabilities[each].mean() for each in bins]
    became = [bad[each].mean() for each in bins]
    end = max(*said, *became) * 1.05
    axes.plot([0, end], [0, end], color=_PALE, linestyle="--", label="exact")
    axes.plot(said, became, color=_INK, marker="o", label="eighths of the loans")
    axes.set(title="Calibration", xlabel="probability of default", ylabel="share that went bad")
    axes.legend(frameon=False, loc="upper left")


def _spread(axes: Any, bad: Array, probabilities: Array) -> None:
    bins = np.linspace(0, max(probabilities.max(), 0.01), _BINS + 1)
    for kind, colour, label in ((~bad, _INK, "repaid"), (bad, _BAD, "went bad")):
        weights = np.full(kind.sum(), 100 / kind.sum())
        axes.hist(probabilities[kind], bins, weights=weights, color=colour, alpha=0.6, label=label)
    axes.set(title="Scores", xlabel="probability of default", ylabel="% of the loans of each kind")
    axes.legend(frameon=False)


def _effects(axes: Any, effects: Mapping[str, float]) -> None:
    names: Sequence[str] = sorted(effects, key=effects.__getitem__)[-12:]
    axes.barh([name.replace("_", " ") for name in names], [effects[n] for n in names], color=_INK)
    axes.set(title="Effect of features", xlabel="mean change of the log-odds")
