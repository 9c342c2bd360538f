"""Default risk: what a model says, when it says nothing, and how it is judged."""

import csv
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings
from sklearn.linear_model import LogisticRegression

from loans.risk.drift import realised_default, shares, stability_index
from loans.risk.fairness import bias_over
from loans.risk.registry import Role, appoint, appointed, load, store
from loans.risk.scoring import Band, Review, score, score_many
from loans.risk.training.berka import training_loans
from loans.risk.training.comparing import CHOSEN, compare, matrix_of
from loans.risk.training.datasets import Loans
from loans.risk.training.families import Family, families_for, serving_copy
from loans.risk.training.metrics import auc, kolmogorov_smirnov
from loans.risk.training.public_sets import german_loans, hmeq_loans
from loans.risk.training.train import Trained, train
from tests.machine import give_up

LOANS: Final = 120


def some_loans() -> Loans:
    """Return loans of which the poorer ones go bad more often; one column is of words."""
    dice = random.Random(7)
    poor = [dice.random() for _ in range(LOANS)]
    return Loans(
        name="example",
        ids=[str(number) for number in range(LOANS)],
        rows=[
            {"poor": share, "months": float(dice.choice((12, 24))), "home": dice.choice("OR")}
            for share in poor
        ],
        bad=[dice.random() < share**2 for share in poor],
        parts=[number % 2 for number in range(LOANS)],
        groups={"gender": [dice.choice(("man", "woman")) for _ in poor]},
    )


def family(name: str) -> Family:
    return next(each for each in families_for(LOANS) if each.name == name)


QUICK: Final = replace(family("logistic"), grid={"model__C": (0.1,)})


def trained_in(
    folder: Path, *, role: Role = Role.CHALLENGER, loans: Loans | None = None
) -> Trained:
    return train(
        loans or some_loans(),
        families=[QUICK],
        folder=folder,
        seeds=[0],
        role=role,
        now=timezone.now(),
    )


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a champion and a challenger."""
    folder = tmp_path_factory.mktemp("models")
    turned = replace(some_loans(), bad=some_loans().bad[::-1])
    assert trained_in(folder).role == "champion"
    assert trained_in(folder, loans=turned).role == "challenger"
    return folder


POOR: Final[Mapping[str, Any]] = {"poor": 0.95, "months": 24.0, "home": "R"}
RICH: Final[Mapping[str, Any]] = {"poor": 0.02, "months": 12.0, "home": "O"}


class TestScore:
    def test_is_higher_for_a_worse_applicant_and_says_why(self, models: Path) -> None:
        poor, rich = score(POOR, models=models), score(RICH, models=models)
        assert poor.probability is not None
        assert rich.probability is not None
        assert poor.probability > 0.4
        assert rich.probability < 0.2
        assert (poor.band, rich.band) == (Band.WEAK, Band.STRONG)
        assert poor.reasons[0] == "poor counts against the application."
        assert poor.review is rich.review is None

    def test_comes_with_the_challengers_which_decides_nothing(self, models: Path) -> None:
        found = score(POOR, models=models)
        assert found.challenger is not None
        assert found.challenger != found.probability
        assert found.probability == score_many(load(models, Role.CHAMPION), [POOR])[0]

    @pytest.mark.parametrize(
        ("row", "review"),
        [
            ({"poor": 0.5, "months": 12.0}, "home: is missing"),
            ({**POOR, "home": "tent"}, "home: 'tent' was never seen in training"),
            ({**POOR, "poor": None}, "poor: is empty, which was never seen in training"),
            ({**POOR, "poor": "much"}, "poor: 'much' is no number"),
            ({**POOR, "poor": float("nan")}, "poor: nan is no number"),
        ],
    )
    def test_is_left_to_people_for_rows_unlike_those_of_training(
        self, models: Path, row: Mapping[str, Any], review: str
    ) -> None:
        found = score(row, models=models)
        assert (found.review, found.detail) == (Review.FIGURES_UNFIT, review)
        assert (found.probability, found.band) == (None, None)

    def test_is_left_to_people_beyond_the_range_but_shown_to_them(self, models: Path) -> None:
        found = score({**POOR, "months": 360.0}, models=models)
        assert found.review == Review.BEYOND_RANGE
        assert found.detail == "months: is beyond what training has seen"
        assert found.probability is not None

    def test_is_left_to_people_without_a_model(self, tmp_path: Path) -> None:
        assert score(POOR, models=tmp_path).detail.startswith(f"no champion is in {tmp_path}")

    @pytest.mark.parametrize("ending", [".skops", ".json"])
    def test_is_left_to_people_once_a_file_was_altered(
        self, models: Path, tmp_path: Path, ending: str
    ) -> None:
        copy = shutil.copytree(models, tmp_path / "copy")
        digest = appointed(copy, Role.CHAMPION) or ""
        if ending == ".skops":
            digest = load(models, Role.CHAMPION).entry.model_digest
        altered = copy / f"{digest}{ending}"
        altered.write_bytes(altered.read_bytes() + b" ")
        assert score(POOR, models=copy).detail == (
            f"{altered.name} was altered: its digest is not the stored one"
        )

    def test_is_left_to_people_once_nobody_knows_who_serves(self, tmp_path: Path) -> None:
        (tmp_path / "champion.json").write_text("[]")
        assert "names no model" in score(POOR, models=tmp_path).detail


class TestAStoredModel:
    @pytest.mark.parametrize("name", [each.name for each in families_for(LOANS)])
    def test_says_the_same_when_it_is_loaded_whatever_its_family(
        self, models: Path, tmp_path: Path, name: str
    ) -> None:
        matrix = matrix_of(some_loans())
        classifier = serving_copy(family(name).make().fit(matrix.numbers, matrix.bad))
        entry = load(models, Role.CHAMPION).entry
        appoint(tmp_path, store(tmp_path, entry, classifier), role=Role.CHAMPION)
        loaded = load(tmp_path, Role.CHAMPION).classifier
        before, after = (each.predict_proba(matrix.numbers) for each in (classifier, loaded))
        assert np.array_equal(before, after)

    def test_is_not_loaded_when_it_holds_what_is_not_trusted(
        self, models: Path, tmp_path: Path
    ) -> None:
        entry = load(models, Role.CHAMPION).entry
        appoint(tmp_path, store(tmp_path, entry, Spy()), role=Role.CHAMPION)
        assert "the model holds what is not trusted" in score(POOR, models=tmp_path).detail

    def test_has_a_card_with_figures_fairness_and_pictures(self, models: Path) -> None:
        folder = models / (appointed(models, Role.CHAMPION) or "")
        text = (folder / "card.md").read_text()
        assert f"- Loans: {LOANS}, of them bad: {sum(some_loans().bad)}" in text
        assert "| gender | woman |" in text
        pictures = {path.name for path in folder.glob("*.png")}
        assert pictures == {"roc.png", "calibration.png", "scores.png", "effects.png"}


class Spy(LogisticRegression):  # type: ignore[misc]  # scikit-learn has no types
    """A model that never may score a loan that it, or its tuning, has learned from."""

    learned: Final[list[set[float]]] = []

    def fit(self, numbers: Any, bad: Any) -> Any:
        Spy.learned.append(set(numbers[:, 0]))
        return super().fit(numbers, bad)


class TestComparing:
    def test_tunes_inside_the_outer_training_fold_alone(self) -> None:
        loans = some_loans()
        spied = Family(name="spy", make=Spy, grid={"C": (0.1, 1.0)})
        matrix = matrix_of(replace(loans, rows=[{"poor": row["poor"]} for row in loans.rows]))
        Spy.learned.clear()
        comparison = compare(matrix, [spied], seeds=[0])
        fits_of_a_fold = 2 * 3 + 1
        assert len(Spy.learned) == 5 * fits_of_a_fold
        for fold in range(5):
            unseen = set(matrix.numbers[comparison.folds[0] == fold, 0])
            for learned in Spy.learned[fold * fits_of_a_fold :][:fits_of_a_fold]:
                assert not learned & unseen

    def test_measures_within_each_part(self) -> None:
        bad = np.array([True, False, True, False])
        parts = np.array([0, 0, 1, 1])
        scores = np.array([0.2, 0.1, 0.9, 0.8])
        assert auc(bad, scores, parts) == 1
        assert auc(bad, scores, np.zeros(4)) == 0.75
        assert kolmogorov_smirnov(bad, scores) == 0.5
        assert kolmogorov_smirnov(bad, np.ones(4)) == 0

    def test_compares_groups_with_the_one_let_through_most(self) -> None:
        let_through = [True, True, True, False, False]
        man, woman = bias_over(["man", "man", "woman", "woman", "woman"], let_through, let_through)
        assert (man.adverse_impact_ratio, man.alarm) == (1, False)
        assert woman.adverse_impact_ratio == pytest.approx(1 / 3)
        assert woman.alarm


class TestDrift:
    def test_is_nothing_while_the_spread_stays_and_alarming_when_it_moves(self) -> None:
        before = shares([0.1, 0.2, 0.3, 0.4], [0.15, 0.35])
        assert before == [0.25, 0.5, 0.25]
        assert stability_index(before, before) == 0
        assert stability_index(before, [0.0, 0.2, 0.8]) > 1

    def test_alarms_when_more_go_bad_than_scores_explain(self) -> None:
        assert not realised_default([0.1] * 100, [True] * 18 + [False] * 82).alarm
        assert realised_default([0.1] * 100, [True] * 20 + [False] * 80).alarm
        assert not realised_default([0.01] * 4, [True] * 4).alarm


BERKA: Final = {
    "client.asc": "client_id;birth_number;district_id",
    "disp.asc": "disp_id;client_id;account_id;type",
    "loan.asc": "loan_id;account_id;date;amount;duration;payments;status",
}
MOVED: Final = "account_id,seq,date,trans_id,signed_amount,balance,rounding,type,operation,k_symbol"


def write_berka(folder: Path, loans: range) -> Path:
    """Write the files of a bank: each third loan goes bad, those whose account is nearly empty."""
    tables: dict[str, list[str]] = {name: [header] for name, header in BERKA.items()}
    moved: tuple[list[str], list[str]] = ([f"{MOVED},bank,account"], [f"{MOVED},bank,account"])
    for number in loans:
        bad = number % 3 == 0
        tables["client.asc"].append(f"{number};{'705213' if number % 2 else '450204'};1")
        tables["disp.asc"].append(f"{number};{number};{number};OWNER")
        tables["loan.asc"].append(
            f"{number};{number};970601;{(9000 + number) * 12};12;{9000 + number}.00;{'AB'[bad]}"
        )
        for step in range(1, 4):
            balance = (10 if bad else 1000) * number * step
            moved[number % 2].append(
                f"{number},{step},97030{step},1,{balance}.00,{balance}.00,0.00,PRIJEM,VKLAD,,,"
            )
    tables["trans_ordered.csv"], tables["loan_histories.csv"] = moved
    folder.mkdir(exist_ok=True)
    for name, lines in tables.items():
        (folder / name).write_text("\r\n".join(lines) + "\r\n")
    return folder


@pytest.fixture(scope="module")
def berka_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model that learned from loans 1 to 60."""
    folder = tmp_path_factory.mktemp("berka")
    trained_in(
        folder / "models" / "berka",
        loans=training_loans(write_berka(folder / "known", range(1, 61))),
    )
    return folder / "models"


class TestCommands:
    def test_score_what_was_not_seen_and_tell_what_became_of_it(
        self,
        berka_models: Path,
        tmp_path: Path,
        settings: Settings,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        settings.RISK_MODELS = berka_models
        more, out = write_berka(tmp_path / "more", range(31, 91)), tmp_path / "scores.csv"
        call_command("score_risk", "berka", str(more), out=out)
        with out.open(newline="") as file:
            scored = {int(row["loan_id"]): row for row in csv.DictReader(file)}
        assert list(scored) == list(range(61, 91))
        worst = sorted(scored, key=lambda loan: float(scored[loan]["probability"]))[-10:]
        assert all(loan % 3 == 0 for loan in worst)
        assert scored[63]["reasons"]
        assert "Gone bad: 10 of 30, expected" in capsys.readouterr().out

    def test_leave_loans_without_history_to_people(
        self, berka_models: Path, tmp_path: Path, settings: Settings
    ) -> None:
        settings.RISK_MODELS = berka_models
        folder = write_berka(tmp_path / "more", range(61, 63))
        moved = f"{MOVED},bank,account\n9,1,970301,1,1,1,0,,,,,\n"
        (folder / "loan_histories.csv").write_text(moved)
        call_command("score_risk", "berka", str(folder), out=tmp_path / "scores.csv")
        assert (
            "61,,,nothing moved on the account before the application,,"
            in (tmp_path / "scores.csv").read_text()
        )

    def test_score_nobody_without_a_model(self, tmp_path: Path, settings: Settings) -> None:
        settings.RISK_MODELS = tmp_path / "models"
        with pytest.raises(CommandError, match="Nobody was scored: no champion is in"):
            call_command("score_risk", "berka", str(tmp_path), out=tmp_path / "scores.csv")
        assert not (tmp_path / "scores.csv").exists()

    @pytest.mark.parametrize(
        ("data", "text", "message"),
        [
            ("hmeq", None, "cannot read"),
            ("hmeq", "LOAN,VALUE\n1,2\n", "the column BAD is missing"),
            ("hmeq", "BAD,LOAN\n2,5\n", "line 2, BAD: expected 0 or 1"),
            ("hmeq", "BAD,LOAN\n1,much\n", "line 2, LOAN: expected a number, found 'much'"),
            ("hmeq", "BAD,LOAN\n1\n", "line 2: 2 fields are expected"),
            ("hmeq", "BAD,LOAN\n1,5\n", "hmeq: 1 loans, 1 bad; 10 good and bad ones are needed"),
            ("german", "creditability,credit_amount\nbad,5\n", "duration_in_month is missing"),
        ],
    )
    def test_train_on_no_bad_file(
        self, tmp_path: Path, settings: Settings, data: str, text: str | None, message: str
    ) -> None:
        settings.RISK_MODELS = tmp_path / "models"
        path = tmp_path / "loans.csv"
        if text is not None:
            path.write_text(text)
        with pytest.raises(CommandError, match=f"Nothing was trained: .*{message}"):
            call_command("train_risk", data, str(path))
        assert not settings.RISK_MODELS.exists()


class TestRealLoans:
    @pytest.fixture
    def data(self) -> Path:
        found = os.environ.get("BANK_REAL_DATA")
        if not found:
            give_up("BANK_REAL_DATA names no folder with the real banks' files")
        return Path(found)

    def test_of_berka_are_told_apart_by_their_features_and_not_by_shuffled_outcomes(
        self, data: Path
    ) -> None:
        matrix = matrix_of(training_loans(data / "berka"))
        assert [(matrix.parts == part).sum() for part in (0, 1)] == [160, 173]
        assert [matrix.bad[matrix.parts == part].sum() for part in (0, 1)] == [25, 12]
        found = compare(matrix, [QUICK], seeds=range(2)).scores[CHOSEN]
        assert np.mean([auc(matrix.bad, scores, matrix.parts) for scores in found]) > 0.8
        dice = np.random.default_rng(1)
        mixed = [replace(matrix, bad=dice.permutation(matrix.bad)) for _ in range(3)]
        chance = [
            auc(
                each.bad,
                compare(each, [QUICK], seeds=[0]).scores[CHOSEN][0],
                each.parts,
            )
            for each in mixed
        ]
        assert abs(np.mean(chance) - 0.5) < 0.12

    def test_of_german_credit_and_hmeq_are_read_whole(self, data: Path) -> None:
        german = german_loans(data / "credit" / "german.csv")
        hmeq = hmeq_loans(data / "credit" / "hmeq.csv")
        assert (german.described(), hmeq.described()) == (
            "1000 loans, 300 bad",
            "5960 loans, 1189 bad",
        )
        assert "personal_status_and_sex" not in german.rows[0]
        assert set(german.groups["gender"]) == {"female", "male"}


def test_a_web_server_starts_without_scikit_learn() -> None:
    program = (
        "import sys, django; django.setup(); import bankproject.urls, loans.risk.scoring;"
        "print([name for name in ('sklearn', 'xgboost', 'skops') if name in sys.modules])"
    )
    known = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.typed_settings"}
    run = [sys.executable, "-c", program]
    assert (
        subprocess.run(run, env=known, capture_output=True, text=True, check=True).stdout == "[]\n"
    )
