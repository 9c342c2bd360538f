"""Train a model of how likely loans go bad."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from core import clock
from core.errors import DomainError
from core.management.base import BankCommand
from loans.risk.appointing import register
from loans.risk.models import TrainingData
from loans.risk.registry import Role
from loans.risk.training.berka import training_loans
from loans.risk.training.book import book_loans
from loans.risk.training.datasets import Loans
from loans.risk.training.families import families_for
from loans.risk.training.public_sets import german_loans, hmeq_loans
from loans.risk.training.train import Trained, train
from loans.risk.watching import note_outcomes, score_left_over

_READERS: Final[Mapping[str, Callable[[Path], Loans]]] = {
    "berka": training_loans,
    "german": german_loans,
    "hmeq": hmeq_loans,
}
_BOOK: Final = str(TrainingData.BOOK)


class Command(BankCommand):
    """Compare models on loans whose outcome is known, and store the best with its card."""

    help = (
        "Train on the bank's own book, berka FOLDER, german FILE or hmeq FILE. The first model of"
        " files is their champion; later ones are challengers, whose scores are only watched,"
        " unless --champion is given. Models of the book and of berka stand in the bank's"
        " registry, too: one scores applications once two admins have appointed it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the data and how often they are split anew."""
        parser.add_argument("data", choices=[_BOOK, *sorted(_READERS)])
        parser.add_argument(
            "path", type=Path, nargs="?", help="the folder of Berka, else a CSV file; none for book"
        )
        parser.add_argument("--champion", action="store_true", help="let it serve at once")
        parser.add_argument(
            "--rounds", type=int, default=1, help="how often the loans are split into folds anew"
        )

    def handle(
        self, *, data: str, path: Path | None, champion: bool, rounds: int, **_: Any
    ) -> None:
        """Train, and tell what came of it.

        Raises:
            CommandError: with one line that says what is wrong with the data; nothing is stored.
        """
        _refuse(data, path, champion=champion, rounds=rounds)
        role = Role.CHAMPION if champion else Role.CHALLENGER
        try:
            loans = _book() if path is None else _READERS[data](path)
            trained = train(
                loans,
                families=families_for(len(loans.rows)),
                folder=settings.RISK_MODELS / data,
                seeds=range(rounds),
                role=None if data == _BOOK else role,
                now=clock.now(),
            )
        except DomainError as error:
            message = f"Nothing was trained: {error}"
            raise CommandError(message) from error
        self._tell(data, loans, trained)

    def _tell(self, data: str, loans: Loans, trained: Trained) -> None:
        entry = trained.entry
        auc = entry.metrics["chosen"]["auc"]
        for why, number in loans.left_out.items():
            self.stdout.write(f"Left out: {number}, {why}")
        self.stdout.write(f"{loans.described()}; {entry.family}, AUC of unseen loans {auc:.3f}")
        if trained.role is not None:
            self.stdout.write(f"It is {trained.role}.")
        if data in TrainingData.values:
            folder = settings.RISK_MODELS / data
            register(folder, trained.digest, data=TrainingData(data), bias=trained.bias)
            self.stdout.write("It is registered; it scores applications once it is appointed.")
        self.stdout.write(f"Its card is {trained.card}")


def _book() -> Loans:
    now = clock.now()
    score_left_over(now=now)
    note_outcomes(now=now)
    return book_loans()


def _refuse(data: str, path: Path | None, *, champion: bool, rounds: int) -> None:
    if rounds < 1:
        message = f"--rounds is {rounds}: at least one is needed"
        raise CommandError(message)
    if (path is None) != (data == _BOOK):
        message = "book takes no path: its loans are the bank's" if path else "a path is needed"
        raise CommandError(message)
    if champion and data == _BOOK:
        message = "two admins appoint who scores applications: --champion is for files alone"
        raise CommandError(message)
