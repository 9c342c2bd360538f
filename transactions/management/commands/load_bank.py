"""Load another bank's books."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError

from core.db.fitness import UnfitNodeError, refuse_unfit_nodes
from core.errors import DomainError
from core.management.base import BankCommand
from transactions.imports.berka.load import load_berka, read_berka
from transactions.imports.progress import progress
from transactions.imports.seed_csv import load_seed_csv, read_seed_csv
from transactions.imports.tables import BadRow


class Command(BankCommand):
    """Post what is missing and compare all; safe to stop at any instant and to repeat."""

    help = (
        "Load a bank's books: `berka DIR` (PKDD'99, a Czech bank) or `seed-csv FILE`. Each row is"
        " posted once, however often it is loaded, and compared with the journal every time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the kind and the place of the books."""
        parser.add_argument("kind", help="berka or seed-csv")
        parser.add_argument("path", type=Path, help="the folder (berka) or file (seed-csv)")
        parser.add_argument(
            "--transactions", type=Path, help="berka: a file instead of DIR/trans_ordered.csv"
        )

    def handle(self, *, kind: str, path: Path, transactions: Path | None, **_options: Any) -> None:
        """Load one kind of books.

        Raises:
            CommandError: with one line that says what is wrong and where.
        """
        if kind not in ("berka", "seed-csv"):
            message = f"unknown kind of books {kind!r}: berka or seed-csv"
            raise CommandError(message)
        if kind == "seed-csv" and transactions is not None:
            message = "--transactions goes with berka only"
            raise CommandError(message)
        try:
            refuse_unfit_nodes()
            if kind == "berka":
                self._load_berka(path, transactions or path / "trans_ordered.csv")
            else:
                self._load_seed_csv(path)
        except (DomainError, UnfitNodeError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            message = f"the database failed; load again: {' '.join(str(error).split())}"
            raise CommandError(message) from error

    def _load_berka(self, folder: Path, transactions: Path) -> None:
        books = read_berka(folder, transactions=transactions)
        total = len(books.transactions)
        with progress(total, out=self.stdout) as counted:
            try:
                promised = load_berka(books, advance=counted.advance)
            except BadRow as wrong:
                before = f"{counted.rows} of {total} balances equal before it"
                message = f"{transactions}, {wrong.message} ({before})"
                raise CommandError(message) from wrong
        if books.loans:
            self.stdout.write(f"{promised.loans} of {len(books.loans)} loans")
        self.stdout.write(f"{promised.orders} of {len(books.orders)} standing orders")
        self.stdout.write(f"{promised.cards} of {len(books.cards)} cards")
        self.stdout.write(f"{counted.rows} of {total} balances equal")

    def _load_seed_csv(self, path: Path) -> None:
        books = read_seed_csv(path)
        for wrong in books.refused:
            self.stdout.write(f"refused: {path}, {wrong.message}")
        total = len(books.payments)
        with progress(total, out=self.stdout) as counted:
            try:
                load_seed_csv(books, advance=counted.advance)
            except BadRow as wrong:
                message = f"{path}, {wrong.message} ({counted.rows} of {total} posted before it)"
                raise CommandError(message) from wrong
        self.stdout.write(f"{counted.rows} of {total} posted, {len(books.refused)} refused")
