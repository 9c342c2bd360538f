"""How well models of default tell loans apart, and how long they take.

`make bench NAME=risk`, with BANK_REAL_DATA naming the folder of the real banks' files; ROUNDS
changes how often loans are split into five folds anew (10 for Berka, 5 for German credit, 2 for
HMEQ), FAMILIES which families are compared. The AUC of a set is that of the whole procedure:
families tuned and chosen inside each outer training fold. Berka's is within each of its files,
weighted by loans.
"""

import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from django.conf import settings

from benchmarks._real_data import real_data
from core import clock
from loans.risk.features import Application, Movement, features_of
from loans.risk.registry import Role, load
from loans.risk.scoring import score, score_many
from loans.risk.training.berka import training_loans
from loans.risk.training.comparing import CHOSEN, Comparison, Matrix, compare, matrix_of
from loans.risk.training.datasets import Loans
from loans.risk.training.families import Family, families_for
from loans.risk.training.metrics import auc
from loans.risk.training.public_sets import german_loans, hmeq_loans
from loans.risk.training.train import train

BOUNDS: Final = {"berka_auc": 0.80, "german_auc": 0.80, "hmeq_auc": 0.96}
MOST: Final = {"score_p99_ms": 15.0, "rescore_100000_s": 30.0, "train_hmeq_s": 300.0}
_ROUNDS: Final = {"berka": 10, "german": 5, "hmeq": 2}
_SHUFFLES: Final = 10
_APPLICANTS: Final = 100_000
_SCORES: Final = 1_000
_WARM: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A mean over the rounds, and its spread among them."""

    mean: float
    low: float
    high: float


def main() -> int:
    """Measure, and print a last line of JSON."""
    folder = real_data()
    settings.configure(USE_TZ=True, USE_I18N=False)
    sets = _sets(folder)
    areas = {f"{name}_auc": _measured(loans) for name, loans in sets.items()}
    asides = _asides(sets["berka"])
    with tempfile.TemporaryDirectory() as models:
        times = _times(sets, Path(models))
    figures = {**{name: round(found.mean, 4) for name, found in areas.items()}, **times}
    intervals = {name: [round(found.low, 4), round(found.high, 4)] for name, found in areas.items()}
    loans = {name: [len(each.rows), sum(each.bad)] for name, each in sets.items()}
    print(
        json.dumps(
            {
                "name": "risk",
                "ratios": {},
                "figures": figures,
                "intervals": intervals,
                "asides": asides,
                "loans_and_bad": loans,
                "kept": _kept(figures),
            }
        )
    )
    return 0


def _sets(folder: Path) -> dict[str, Loans]:
    return {
        "berka": training_loans(folder / "berka"),
        "german": german_loans(folder / "credit" / "german.csv"),
        "hmeq": hmeq_loans(folder / "credit" / "hmeq.csv"),
    }


def _families(loans: int) -> list[Family]:
    wanted = os.environ.get("FAMILIES", "")
    return [each for each in families_for(loans) if not wanted or each.name in wanted.split(",")]


def _measured(loans: Loans) -> Figure:
    matrix = matrix_of(loans)
    seeds = range(int(os.environ.get("ROUNDS", _ROUNDS[loans.name])))
    found: list[Comparison] = []
    for seed in seeds:
        found.append(compare(matrix, _families(len(loans.rows)), seeds=[seed]))
        areas = {name: _areas(matrix, found[-1:], name)[0] for name in found[-1].scores}
        told = ", ".join(f"{name} {area:.3f}" for name, area in areas.items())
        print(f"{loans.name} ({loans.described()}), seed {seed}: {told}", flush=True)
    choices = Counter(choice for each in found for choice in each.choices)
    of_rounds = _areas(matrix, found, CHOSEN)
    low, high = np.percentile(of_rounds, (2.5, 97.5))
    print(f"{loans.name}: {np.mean(of_rounds):.4f}, chosen: {dict(choices)}", flush=True)
    return Figure(mean=float(np.mean(of_rounds)), low=float(low), high=float(high))


def _areas(matrix: Matrix, found: Sequence[Comparison], name: str) -> list[float]:
    return [auc(matrix.bad, each.scores[name][0], matrix.parts) for each in found]


def _asides(berka: Loans) -> dict[str, Any]:
    """Return what keeps Berka's figure honest, each by the logistic family alone."""
    matrix = matrix_of(berka)
    logistic = [each for each in families_for(len(berka.rows)) if each.name == "logistic"]
    dice = np.random.default_rng(0)
    one = partial(compare, families=logistic, seeds=[0])
    shuffled = [replace(matrix, bad=dice.permutation(matrix.bad)) for _ in range(_SHUFFLES)]
    by_chance = [_areas(each, [one(each)], CHOSEN)[0] for each in shuffled]
    file = replace(matrix, bad=matrix.parts == 1, parts=np.zeros_like(matrix.parts))
    wish = ("log_loanamount", "months")
    bare = replace(berka, rows=[{name: row[name] for name in wish} for row in berka.rows])
    return {
        "shuffled_auc": round(float(np.mean(by_chance)), 4),
        "file_auc": round(_areas(file, [one(file)], CHOSEN)[0], 4),
        "loan_columns_auc": round(_areas(matrix, [one(matrix_of(bare))], CHOSEN)[0], 4),
    }


def _times(sets: Mapping[str, Loans], models: Path) -> dict[str, float]:
    started = time.perf_counter()
    _train(sets["hmeq"], models / "hmeq")
    train_hmeq = time.perf_counter() - started
    _train(sets["berka"], models / "berka")
    return {
        "score_p99_ms": round(_slowest_of_a_hundred(models / "berka") * 1_000, 2),
        "rescore_100000_s": round(_rescoring(sets["berka"], models / "berka"), 2),
        "train_hmeq_s": round(train_hmeq, 1),
    }


def _train(loans: Loans, folder: Path) -> None:
    train(
        loans,
        families=_families(len(loans.rows)),
        folder=folder,
        seeds=[0],
        role=Role.CHAMPION,
        now=clock.now(),
    )


def _slowest_of_a_hundred(models: Path) -> float:
    """Return the 99th percentile of a score with reasons, its features included."""
    asked = _application()
    for _ in range(_WARM):
        score(features_of(asked), models=models)
    return float(
        np.percentile(
            [_seconds(lambda: score(features_of(asked), models=models)) for _ in range(_SCORES)], 99
        )
    )


def _application() -> Application:
    """Return an application with a year's movements, one a day."""
    today = date(1997, 6, 1)
    return Application(
        applied_on=today,
        requested=120_000_00,
        offered=120_000_00,
        months=24,
        instalment=5_000_00,
        rate_ppm=0,
        second_holder=False,
        movements=[
            Movement(
                day=today - timedelta(days=365 - n),
                amount=(n % 7 - 3) * 1_000_00,
                balance=20_000_00 + (n % 30) * 500_00,
            )
            for n in range(365)
        ],
    )


def _rescoring(loans: Loans, models: Path) -> float:
    rows = [loans.rows[number % len(loans.rows)] for number in range(_APPLICANTS)]
    model = load(models, Role.CHAMPION)
    return _seconds(lambda: score_many(model, rows))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _kept(figures: Mapping[str, float]) -> dict[str, bool]:
    kept = {name: figures[name] >= bound for name, bound in BOUNDS.items()}
    return {**kept, **{name: figures[name] <= bound for name, bound in MOST.items()}}


if __name__ == "__main__":
    sys.exit(main())
