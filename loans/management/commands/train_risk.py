"""Train a model of how likely loans go bad."""

from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import clock
from core.errors import DomainError
from loans.risk.registry import Role
from loans.risk.training.berka import training_loans
from loans.risk.training.families import families_for
from loans.risk.training.public_sets import german_loans, hmeq_loans
from loans.risk.training.train import train

_READERS: Final = {"berka": training_loans, "german": german_loans, "hmeq": hmeq_loans}


class Command(BaseCommand):
    """Compare models on loans whose outcome is known, and store the best with its card."""

    help = (
        "Train on berka FOLDER, german FILE or hmeq FILE. The first model of a set is its champion;"
        " later ones are challengers, whose scores are only watched, unless --champion is given."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the data and how often they are split anew."""
        parser.add_argument("data", choices=sorted(_READERS))
        parser.add_argument("path", type=Path, help="the folder of Berka, else a CSV file")
        parser.add_argument("--champion", action="store_true", help="let it serve at once")
        parser.add_argument(
            "--rounds", type=int, default=1, help="how often the loans are split into folds anew"
        )

    def handle(self, *, data: str, path: Path, champion: bool, rounds: int, **_: Any) -> None:
        """Train, and tell what came of it.

        Raises:
            CommandError: with one line that says what is wrong with the data; nothing is stored.
        """
        if rounds < 1:
            message = f"--rounds is {rounds}: at least one is needed"
            raise CommandError(message)
        try:
            loans = _READERS[data](path)
            trained = train(
                loans,
                families=families_for(len(loans.rows)),
                folder=settings.RISK_MODELS / data,
                seeds=range(rounds),
                role=Role.CHAMPION if champion else Role.CHALLENGER,
                now=clock.now(),
            )
        except DomainError as error:
            message = f"Nothing was trained: {error}"
            raise CommandError(message) from error
        entry = trained.entry
        auc = entry.metrics["chosen"]["auc"]
        for why, number in loans.left_out.items():
            self.stdout.write(f"Left out: {number}, {why}")
        self.stdout.write(f"{loans.described()}; {entry.family}, AUC of unseen loans {auc:.3f}")
        self.stdout.write(f"It is {trained.role}; its card is {trained.card}")
