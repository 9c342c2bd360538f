"""From loans to a model that may serve: compared, tuned, calibrated, described and stored."""

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from loans.risk.columns import Column, learn_columns
from loans.risk.drift import shares
from loans.risk.fairness import GroupFigures, bias_over
from loans.risk.registry import Entry, Role, appoint, appointed, store
from loans.risk.training.calibrating import calibrated_apart, fit_line, log_odds
from loans.risk.training.card import written_card
from loans.risk.training.comparing import (
    OUTER_FOLDS,
    Comparison,
    Matrix,
    compare,
    matrix_of,
    tune,
)
from loans.risk.training.datasets import Loans, refuse_too_few
from loans.risk.training.families import Family, serving_copy
from loans.risk.training.metrics import Array, figures, intervals
from loans.risk.training.plots import draw_all

_DECILES: Final = tuple(tenth / 10 for tenth in range(1, 10))
# Bands, by how often loans went bad at all.
_FAIR_FROM: Final = 0.5
_WEAK_FROM: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A model that was stored: its entry, that entry's digest, its role, and where its card is.

    ``bias`` is whom it lets through, over each grouping that the loans have.
    """

    entry: Entry
    digest: str
    role: Role | None
    card: Path
    bias: Mapping[str, Sequence[GroupFigures]]


def train(  # what is compared, and where and as what the best one serves
    loans: Loans,
    *,
    families: Sequence[Family],
    folder: Path,
    seeds: Sequence[int],
    role: Role | None,
    now: datetime,
) -> Trained:
    """Compare families, and store the best one's model; the first of a folder is champion at once.

    Without a ``role`` it serves nobody in that folder: the bank's own registry says whom.

    Raises:
        NotEnoughLoans
    """
    refuse_too_few(loans, least=2 * OUTER_FOLDS)
    matrix = matrix_of(loans)
    comparison = compare(matrix, families, seeds=seeds)
    everything = np.arange(len(matrix.bad))
    searches = {each.name: tune(each, matrix, everything, seed=seeds[0]) for each in families}
    family = max(searches, key=lambda name: float(searches[name].best_score_))
    apart = calibrated_apart(comparison.scores[family][0], matrix.bad, comparison.folds[0])
    chosen = (family, searches[family].best_params_)
    entry = _entry(loans, matrix, comparison, chosen, apart, now)
    classifier = serving_copy(searches[family].best_estimator_)
    digest = store(folder, entry, classifier)
    bias = _bias(loans, let_through=apart < entry.weak_from, bad=matrix.bad)
    card = _describe(folder / digest, entry, matrix, apart, classifier, bias)
    role = _appointed(folder, digest, role)
    return Trained(entry=entry, digest=digest, role=role, card=card, bias=bias)


def figures_of(matrix: Matrix, comparison: Comparison, name: str) -> dict[str, Any]:
    """Return the means over the seeds of a family's figures, with intervals of the first seed."""
    bad, parts = matrix.bad, matrix.parts
    rounds = [
        (scores, calibrated_apart(scores, bad, folds))
        for scores, folds in zip(comparison.scores[name], comparison.folds, strict=True)
    ]
    of_rounds = [figures(bad, scores, chances, parts) for scores, chances in rounds]
    means = {each: float(np.mean([of[each] for of in of_rounds])) for each in of_rounds[0]}
    return {**means, "intervals": intervals(bad, *rounds[0], parts)}


def fingerprint_of(loans: Loans) -> str:
    """Return the SHA-256 of everything that a model could learn from."""
    written = json.dumps([list(loans.ids), [dict(row) for row in loans.rows], list(loans.bad)])
    return hashlib.sha256(written.encode()).hexdigest()


def _entry(
    loans: Loans,
    matrix: Matrix,
    comparison: Comparison,
    chosen: tuple[str, Mapping[str, Any]],
    apart: Array,
    now: datetime,
) -> Entry:
    family, parameters = chosen
    slope, intercept = fit_line(comparison.scores[family][0], matrix.bad)
    rate = float(matrix.bad.mean())
    edges = [float(edge) for edge in np.quantile(apart, _DECILES)]
    return Entry(
        name=loans.name,
        trained_at=now.isoformat(timespec="seconds"),
        code_version=_code_version(),
        data_fingerprint=fingerprint_of(loans),
        family=family,
        parameters=dict(parameters),
        loans=len(matrix.bad),
        bad=int(matrix.bad.sum()),
        metrics={name: figures_of(matrix, comparison, name) for name in comparison.scores},
        columns=learn_columns(loans.rows, loans.bad),
        slope=slope,
        intercept=intercept,
        fair_from=_FAIR_FROM * rate,
        weak_from=min(_WEAK_FROM * rate, (1 + rate) / 2),
        score_edges=edges,
        score_shares=shares([float(each) for each in apart], edges),
        seen=list(loans.ids),
    )


def _appointed(folder: Path, digest: str, role: Role | None) -> Role | None:
    if role is None:
        return None
    if appointed(folder, Role.CHAMPION) is None:
        role = Role.CHAMPION
    appoint(folder, digest, role=role)
    return role


def _describe(  # a card tells all of these
    folder: Path,
    entry: Entry,
    matrix: Matrix,
    apart: Array,
    classifier: Any,
    bias: Mapping[str, Sequence[GroupFigures]],
) -> Path:
    draw_all(folder, matrix.bad, apart, _effects(entry.columns, matrix, classifier))
    card = folder / "card.md"
    card.write_text(written_card(entry, bias) + "\n", encoding="utf-8")
    return card


def _bias(loans: Loans, *, let_through: Array, bad: Array) -> dict[str, list[GroupFigures]]:
    passed, was_bad = let_through.tolist(), bad.tolist()
    return {over: bias_over(groups, passed, was_bad) for over, groups in loans.groups.items()}


def _effects(columns: Sequence[Column], matrix: Matrix, classifier: Any) -> dict[str, float]:
    """Return how far the log-odds of a loan move, on average, if a column were as usual."""
    own = log_odds(classifier.predict_proba(matrix.numbers)[:, 1])
    effects, start = {}, 0
    for column in columns:
        changed = matrix.numbers.copy()
        changed[:, start : start + column.width] = column.numbers(column.typical)
        moved = log_odds(classifier.predict_proba(changed)[:, 1]) - own
        effects[column.name] = float(np.abs(moved).mean())
        start += column.width
    return effects


def _code_version() -> str:
    """Return the commit that this runs from, as far as there is one."""
    here = Path(__file__).parent
    try:
        asked = subprocess.run(
            ["git", "describe", "--always", "--dirty"],  # noqa: S607  # wherever git is installed
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return asked.stdout.strip()
