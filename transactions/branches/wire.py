"""Messages to nodes: several statements in one message, and messages to two nodes at once.

psycopg's own ways wait for each statement of each connection in turn; a transfer between nodes
would pay for every one of these waits. These connections are apart from Django's: a transaction
that is prepared on one of them is nothing that Django could know of.
"""

import os
import select
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from django.db import connections
from psycopg import pq
from psycopg.rows import namedtuple_row

from core.db.patience import breaking_after
from transactions.branches.directory import CONNECT_SECONDS, connect

IDLE_CONNECTIONS: Final = 16
"""How many unused connections this process keeps for each node."""

_STATEMENTS: Final = (Path(__file__).parent / "sql" / "wire.sql").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a node answered to one message.

    ``tags`` are the command tags in order, ``row`` the last row, in PostgreSQL's text form. After a
    complaint the rest of the message was not run. ``is_lost``: the answer did not come, and whether
    the message was carried out is unknown.
    """

    tags: tuple[str, ...] = ()
    row: tuple[str | None, ...] = ()
    complaint: psycopg.Error | None = None
    is_lost: bool = False

    @property
    def is_good(self) -> bool:
        """Tell whether the whole message was carried out."""
        return self.complaint is None and not self.is_lost


class Line:
    """A connection to a node, for one message after the other."""

    def __init__(self, node: str) -> None:
        """Take an unused connection, or make one.

        Raises:
            psycopg.OperationalError: the node does not answer.
        """
        self.node = node
        self._address = _address_of(node)
        self._connection = _unused(self._address) or _new(node)
        self._pgconn = self._connection.pgconn
        self._results: list[pq.abc.PGresult] = []
        self.is_sent = True

    @property
    def fileno(self) -> int:
        """Return the file descriptor on which answers arrive."""
        return self._pgconn.socket

    def text(self, template: str, parameters: Sequence[Any]) -> str:
        """Return a statement with its parameters quoted into it."""
        return psycopg.ClientCursor(self._connection).mogrify(template, parameters)

    def send(self, message: str) -> None:
        """Send one message of one or more statements; a connection that is gone answers so."""
        self._results = []
        try:
            self._pgconn.send_query(message.encode())
        except psycopg.OperationalError:
            self.hang_up()
        else:
            self.send_rest()

    def send_rest(self) -> None:
        """Send what the network has not taken yet of a long message."""
        try:
            self.is_sent = self._pgconn.flush() == 0
        except psycopg.OperationalError:
            self.hang_up()

    @property
    def awaited(self) -> int:
        """Return the events of ``poll`` that this line can go on with."""
        return select.POLLIN if self.is_sent else select.POLLIN | select.POLLOUT

    def take(self) -> Answer | None:
        """Return the answer if all of it has arrived; never waits."""
        try:
            self._pgconn.consume_input()
            while not self._pgconn.is_busy():
                result = self._pgconn.get_result()
                if result is None:
                    return self._answer()
                self._results.append(result)
        except psycopg.OperationalError:
            self.hang_up()
            return Answer(is_lost=True)
        return None

    def _answer(self) -> Answer:
        tags: list[str] = []
        row: tuple[str | None, ...] = ()
        for result in self._results:
            if result.status == pq.ExecStatus.FATAL_ERROR:
                complaint = psycopg.errors.error_from_result(result, encoding="utf-8")
                if self._pgconn.status == pq.ConnStatus.BAD:
                    self.hang_up()
                    return Answer(tuple(tags), complaint=complaint, is_lost=True)
                return Answer(tuple(tags), row, complaint)
            tags.append((result.command_status or b"").decode())
            if result.ntuples:
                row = tuple(_decoded(result.get_value(0, n)) for n in range(result.nfields))
        return Answer(tuple(tags), row)

    @contextmanager
    def cursor(self, *, seconds: float) -> Iterator[psycopg.Cursor[Any]]:
        """Yield a cursor for what is too large to be quoted into a message.

        The connection is broken, and whatever waits on it fails, after ``seconds``.
        """
        with (
            breaking_after(self._connection, seconds),
            psycopg.Cursor(self._connection, row_factory=namedtuple_row) as cursor,
        ):
            cursor.format = pq.Format.BINARY
            yield cursor

    @property
    def is_up(self) -> bool:
        """Tell whether the connection can be used."""
        return not self._connection.closed

    @property
    def has_begun(self) -> bool:
        """Tell whether a transaction is open."""
        return self._pgconn.transaction_status == pq.TransactionStatus.INTRANS

    def hang_up(self) -> None:
        """Close the connection: after any doubt it must not be used again."""
        self._connection.close()

    def put_back(self) -> None:
        """Give the connection to the next who needs one, if nothing is open on it."""
        idle = _lines.setdefault(self._address, deque())
        is_idle = self.is_up and self._pgconn.transaction_status == pq.TransactionStatus.IDLE
        if is_idle and len(idle) < IDLE_CONNECTIONS:
            idle.append(self._connection)
        else:
            self.hang_up()


def exchange(messages: Mapping[Line, str], *, seconds: float) -> list[Answer]:
    """Send each line its message, wait for all answers, and return them in order.

    A line whose answer has not come within ``seconds`` is closed, and its answer is lost.
    """
    deadline = time.monotonic() + seconds
    for line, message in messages.items():
        line.send(message)
    answers: dict[Line, Answer] = {}
    poll = select.poll()
    waiting = {}
    for line in messages:
        if line.is_up:
            waiting[line.fileno] = line
            poll.register(line.fileno, line.awaited)
        else:
            answers[line] = Answer(is_lost=True)
    while waiting:
        ready = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
        for fileno, _event in ready:
            line = waiting[fileno]
            if not line.is_sent:
                line.send_rest()
                poll.modify(fileno, line.awaited)
            answer = line.take() if line.is_up else Answer(is_lost=True)
            if answer is not None:
                answers[waiting.pop(fileno)] = answer
                poll.unregister(fileno)
        if not ready and time.monotonic() >= deadline:
            for line in waiting.values():
                line.hang_up()
                answers[line] = Answer(is_lost=True)
            break
    return [answers[line] for line in messages]


def say(line: Line, message: str, *, seconds: float) -> Answer:
    """Send one message and return its answer."""
    return exchange({line: message}, seconds=seconds)[0]


_Address = tuple[str, ...]
_lines: Final[dict[_Address, deque[psycopg.Connection]]] = {}
_parents: Final[list[deque[psycopg.Connection]]] = []


def _address_of(node: str) -> _Address:
    """Return where a node is now: after it has moved, its old connections lead elsewhere."""
    settings = connections[node].settings_dict
    return tuple(str(settings[part]) for part in ("HOST", "PORT", "NAME", "USER"))


def _unused(address: _Address) -> psycopg.Connection | None:
    """Return a connection that nobody uses, and that the node has not closed meanwhile."""
    idle = _lines.get(address)
    while idle:
        try:
            connection = idle.pop()
        except IndexError:
            break
        # No `select`: it knows no descriptor beyond 1,023, and a busy process has more.
        closing = select.poll()
        closing.register(connection.fileno(), select.POLLIN)
        if not closing.poll(0):
            return connection
        connection.close()
    return None


def _new(node: str) -> psycopg.Connection:
    connection = connect(node)
    with breaking_after(connection, CONNECT_SECONDS):
        connection.execute(_STATEMENTS, prepare=False)
    return connection


def _decoded(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def _leave_to_parent() -> None:
    """Forget, after a fork, the connections of the parent, and close none: they are its own."""
    _parents.extend(_lines.values())
    _lines.clear()


os.register_at_fork(after_in_child=_leave_to_parent)
