"""A statement as rows of a table, for spreadsheets."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from transactions.selectors import Movement
from transactions.statements.whole import WholeStatement

HEADINGS: Final = (
    "booked_at", "happened_at", "kind", "in", "out", "currency", "balance_after",
    "counterparty", "counterparty_account", "message", "channel", "reference",
)  # fmt: skip


def table_rows(statement: WholeStatement) -> Iterator[list[str]]:
    """Yield headings, and a row for each movement."""
    yield list(HEADINGS)
    yield from map(_row, statement.movements)


def _row(movement: Movement) -> list[str]:
    amount = movement.amount.text
    after = movement.balance_after
    return [
        _instant(movement.recorded_at),
        _instant(movement.event_at),
        movement.kind,
        "" if movement.is_out else amount,
        amount if movement.is_out else "",
        movement.change.currency,
        "" if after is None else after.text,
        movement.counterparty.name,
        str(movement.counterparty.number),
        movement.memo,
        movement.channel,
        str(movement.transfer_id),
    ]


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
