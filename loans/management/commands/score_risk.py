"""Score loans that a model has not learned from."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TextIO

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from core.errors import DomainError
from core.management.base import BankCommand
from loans.risk.drift import PSI_ALARM, realised_default, shares, stability_index
from loans.risk.registry import Entry, Role, load
from loans.risk.scoring import Review, Score, score
from loans.risk.training.berka import KnownLoan, known_loans

_COLUMNS: Final = ("loan_id", "probability", "band", "review", "reasons", "challenger")


class Command(BankCommand):
    """Score the loans of a folder that the champion has never seen, and watch for drift."""

    help = (
        "Score the loans of berka FOLDER into --out FILE, a line each. Loans that the model learned"
        " from are left out, and those without earlier movements wait for a person."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the data and where the scores go."""
        parser.add_argument("data", choices=["berka"])
        parser.add_argument("path", type=Path)
        parser.add_argument("--out", type=Path, required=True)

    def handle(self, *, data: str, path: Path, out: Path, **_: Any) -> None:
        """Score, and tell how many, and whether they are as when the model was trained.

        Raises:
            CommandError: with one line that says why nobody was scored; nothing is written.
        """
        models = settings.RISK_MODELS / data
        try:
            entry = load(models, Role.CHAMPION).entry
            unseen = [known for known in known_loans(path) if known.loan.loan_id not in entry.seen]
            scored = [(known, _score(known, models)) for known in unseen]
            with out.open("w", encoding="utf-8", newline="") as file:
                _write(file, scored)
        except (DomainError, OSError) as error:
            message = f"Nobody was scored: {error}"
            raise CommandError(message) from error
        self.stdout.write(
            f"{len(scored)} loans, {sum(bool(s.review) for _, s in scored)} to review"
        )
        self._tell_drift(entry, [(known, s) for known, s in scored if s.probability is not None])

    def _tell_drift(self, entry: Entry, scored: Sequence[tuple[KnownLoan, Score]]) -> None:
        if not scored:
            return
        chances = [found.probability or 0.0 for _known, found in scored]
        index = stability_index(entry.score_shares, shares(chances, entry.score_edges))
        alarm = "; ALARM: others apply than it learned from" if index > PSI_ALARM else ""
        self.stdout.write(f"Population stability index {index:.3f}{alarm}")
        ended = [
            (chance, known.loan.bad)
            for chance, (known, _) in zip(chances, scored, strict=True)
            if known.loan.bad is not None
        ]
        if ended:
            real = realised_default([c for c, _ in ended], [bool(bad) for _, bad in ended])
            alarm = "; ALARM: more than its scores explain" if real.alarm else ""
            self.stdout.write(
                f"Gone bad: {real.bad} of {real.loans}, expected {real.expected:.1f}{alarm}"
            )


def _score(known: KnownLoan, models: Path) -> Score:
    if known.features is None:
        detail = "nothing moved on the account before the application"
        return Score(review=Review.NO_HISTORY, detail=detail)
    return score(known.features, models=models)


def _write(file: TextIO, scored: Sequence[tuple[KnownLoan, Score]]) -> None:
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(_COLUMNS)
    for known, found in scored:
        lines.writerow(
            [
                known.loan.loan_id,
                _figure(found.probability),
                found.band or "",
                found.detail,
                " ".join(found.reasons),
                _figure(found.challenger),
            ]
        )


def _figure(probability: float | None) -> str:
    return "" if probability is None else f"{probability:.6f}"
