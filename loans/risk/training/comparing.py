"""Which family serves best: nested cross-validation, tuned inside the outer training fold alone.

The family is chosen there too. So ``chosen`` is an honest figure of the whole procedure, not the
best of several that were looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from loans.risk.columns import encode, learn_columns
from loans.risk.training.datasets import Loans
from loans.risk.training.families import Family
from loans.risk.training.metrics import Array

CHOSEN: Final = "chosen"
OUTER_FOLDS: Final = 5
_INNER_FOLDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Loans as models take them."""

    numbers: Array
    bad: Array
    parts: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """For each family and for the choice among them: each loan's score by who never saw it.

    One row of ``scores`` for each seed; ``folds`` says in which fold a loan was.
    """

    scores: dict[str, Array]
    folds: Array
    choices: Sequence[str]


def matrix_of(loans: Loans) -> Matrix:
    """Return loans as numbers."""
    columns = learn_columns(loans.rows, loans.bad)
    return Matrix(
        numbers=np.array([encode(columns, row) for row in loans.rows]),
        bad=np.array(loans.bad, dtype=bool),
        parts=np.array(loans.parts),
    )


def compare(matrix: Matrix, families: Sequence[Family], *, seeds: Sequence[int]) -> Comparison:
    """Score every loan by each family once a seed, with models that have not seen it."""
    shape = (len(seeds), len(matrix.bad))
    scores = {name: np.zeros(shape) for name in (*(each.name for each in families), CHOSEN)}
    folds = np.zeros(shape, dtype=int)
    choices = []
    strata = matrix.parts * 2 + matrix.bad
    for row, seed in enumerate(seeds):
        split = StratifiedKFold(OUTER_FOLDS, shuffle=True, random_state=seed)
        for fold, (known, unseen) in enumerate(split.split(matrix.numbers, strata)):
            tuned = [(tune(family, matrix, known, seed=seed), family) for family in families]
            for search, family in tuned:
                scores[family.name][row, unseen] = _scored(search, matrix.numbers[unseen])
            best, family = max(tuned, key=lambda pair: float(pair[0].best_score_))
            scores[CHOSEN][row, unseen] = _scored(best, matrix.numbers[unseen])
            folds[row, unseen] = fold
            choices.append(family.name)
    return Comparison(scores=scores, folds=folds, choices=choices)


def tune(family: Family, matrix: Matrix, known: Array, *, seed: int) -> Any:
    """Return a family's best model of the loans that are known, found among them alone."""
    search = GridSearchCV(
        family.make(),
        dict(family.grid),
        scoring="roc_auc",
        cv=StratifiedKFold(_INNER_FOLDS, shuffle=True, random_state=seed),
        error_score="raise",
    )
    return search.fit(matrix.numbers[known], matrix.bad[known])


def _scored(search: Any, numbers: Array) -> Array:
    return np.asarray(search.predict_proba(numbers)[:, 1], dtype=np.float64)
