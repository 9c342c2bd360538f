"""Where the statement of an account goes on."""

from uuid import UUID

from core import cursors


def cursor_after(account: int, *, last: UUID) -> str:
    """Return the cursor for what comes after the entry ``last``."""
    return cursors.cursor_for(_statement_of(account), [last.hex])


def read_cursor(text: str, *, account: int) -> UUID:
    """Return the entry after which a statement goes on.

    Raises:
        InvalidCursor
    """
    (last,) = cursors.read_cursor(text, listing=_statement_of(account))
    return UUID(last)


def _statement_of(account: int) -> str:
    return f"statement {account}"
