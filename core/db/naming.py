"""Statements that say which request they are for, wherever a server shows them.

Its log of slow, waiting and failed statements and its list of activity show the text, and so the
comment before it. The ledger's statements are prepared once for all requests and go without.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper

_request: Final[ContextVar[UUID | None]] = ContextVar("request", default=None)


@contextmanager
def asked_by(request_id: UUID) -> Iterator[None]:
    """Name the request in the statements of Django's connections within the block."""
    token = _request.set(request_id)
    try:
        yield
    finally:
        _request.reset(token)


def name_statements(connection: BaseDatabaseWrapper, **_signal: object) -> None:
    """Let the statements of one of Django's new connections name their request."""
    if _execute_named not in connection.execute_wrappers:
        # First: see patience.
        connection.execute_wrappers.insert(0, _execute_named)


def _execute_named(
    execute: Callable[..., Any],
    sql: Any,
    parameters: Any,
    many: bool,  # noqa: FBT001  # as Django calls it
    context: Any,
) -> Any:
    asking = _request.get()
    # What is composed of parts is the schema's business, and no request's.
    if asking is not None and isinstance(sql, str):
        sql = f"/* request {asking} */ {sql}"
    return execute(sql, parameters, many, context)
