"""Loading rows chunk by chunk: post what is missing, compare all, commit."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from django.db import transaction

from transactions.chart import BankAccounts
from transactions.imports.comparing import compare, recorded_entries
from transactions.imports.entries import Row
from transactions.imports.posting import post_entries
from transactions.imports.tables import BadRow
from transactions.ledger.accounts import lock_imports

CHUNK: Final = 2_500
"""Rows of one transaction; with their rounding transfers they are one batch."""

Advance = Callable[[int], None]


def load_rows(rows: Iterable[Row], *, bank: BankAccounts, advance: Advance) -> None:
    """Post the rows that the ledger does not have, compare all, and tell how many are right.

    Opens a transaction a chunk. When a row is wrong, those before it stay and it is not posted.

    Raises:
        BadRow: the first wrong row.
        Busy: the chunk at hand was not posted.
    """
    for chunk in _chunks(rows):
        good, wrong = _load_good(chunk, bank)
        advance(good)
        if wrong is not None:
            raise wrong


def _load_good(rows: Sequence[Row], bank: BankAccounts) -> tuple[int, BadRow | None]:
    """Load the rows before the first wrong one; return how many, and what is wrong with that."""
    wrong = None
    while True:
        try:
            _load_chunk(rows, bank)
        except BadRow as found:
            # Rows are posted before they are compared: one before it may be wrong, too.
            wrong = found
            rows = [row for row in rows if row.entry.line < found.line]
        else:
            return len(rows), wrong


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield the rows in lists; those before an unreadable one before its error."""
    chunk: list[Row] = []
    try:
        for row in rows:
            chunk.append(row)
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
    except BadRow:
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk


@transaction.atomic
def _load_chunk(rows: Sequence[Row], bank: BankAccounts) -> None:
    lock_imports()
    entries = [row.entry for row in rows]
    recorded = recorded_entries(entries)
    missing = [entry for entry in entries if entry.reference not in recorded]
    if missing:
        post_entries(missing, bank=bank)
        recorded |= recorded_entries(missing)
    compare(rows, recorded)
