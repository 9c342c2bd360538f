"""Tailers: readers of the journal that miss nothing and see nothing twice.

The journal is its own outbox. A tailer reads it by (transaction id, transfer id), and only what is
older than every transaction in flight. An id cursor would pass a transfer that commits late and
never see it; this one waits for it. The order is not commit order, and consumers must not take it
for that.

What is read may not be on disk yet, and what a consumer writes on another node would outlive it if
this server fell. So a page is found in a transaction whose end waits for the disk, and is worked on
in the next one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from transactions.ledger.connection import fetch_all, fetch_one


@dataclass(frozen=True, slots=True)
class TailedTransfer:
    """One transfer as a tailer sees it. ``tx`` means something on the node that wrote it only."""

    tx: str
    transfer_id: UUID
    debit: int
    credit: int
    amount: int
    debit_after: int | None
    credit_after: int | None
    kind: str
    channel: str
    client: int
    event_at: datetime
    group_id: UUID | None
    reference: str | None
    memo: str | None


@contextmanager
def tailed(
    name: str, *, limit: int = 500, using: str = "default"
) -> Iterator[list[TailedTransfer]]:
    """Yield what is next for the tailer ``name``, and move its cursor when the block ends well.

    Opens the transaction in which the cursor is locked and saved, if there is anything: what the
    block writes on this node is saved with it, or not at all. A second tailer of the same name
    waits, and is given nothing when the first had the same page.

    Raises:
        Refused: the cursor is another server's (after a restore); the tailer must be based anew.
    """
    with transaction.atomic(using=using, durable=True):
        cursor = locked_cursor(name, using=using)
        rows = fetch_all("read_tail", {"name": name, "limit": limit}, using)
    if not rows:
        yield []
        return
    with transaction.atomic(using=using, durable=True):
        is_next = locked_cursor(name, using=using) == cursor
        transfers = [TailedTransfer(*row) for row in rows] if is_next else []
        yield transfers
        if transfers:
            last = transfers[-1]
            advanced = {"name": name, "tx": last.tx, "id": last.transfer_id}
            fetch_one("advance_tail", advanced, using)


def locked_cursor(name: str, *, using: str) -> Any:
    """Lock the cursor of the tailer ``name`` until the transaction ends, and return where it is.

    The lock is in the log: when the transaction has ended, what it saw is on disk.

    Raises:
        Refused: the cursor is another server's (after a restore); the tailer must be based anew.
    """
    return fetch_one("lock_tail", {"name": name}, using)
