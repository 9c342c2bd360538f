"""Two-phase commit between two nodes, with the source as the last resource.

The destination's part is prepared; then the source commits its own part and the decision in one
transaction; then the destination commits. Whatever is in doubt is left to ``recovery``, which asks
for the decision.
"""

import random
import time
from collections.abc import Callable, Iterator
from typing import Final, Literal, Self
from uuid import UUID

import psycopg
from django.db import connections
from django.utils.translation import gettext as _
from psycopg import errors

from core.db.errors import Busy, passing_errors_translated
from transactions.branches.outcomes import BranchDown, OutcomeUnknown
from transactions.branches.recovery import gid_of, is_settled, outcome_of
from transactions.branches.wire import Answer, Line, exchange, say
from transactions.ledger.codes import refusal_in

ANSWER_SECONDS: Final = 5.0
PATIENCE_SECONDS: Final = 4.0
# A coordinator that hangs in the middle gives up its locks, and its say, after this time.
BEGIN: Final = (
    "BEGIN; SET LOCAL lock_timeout = '{wait}'; "
    "SET LOCAL idle_in_transaction_session_timeout = '3s'; "
)
# Of what takes its time on one side while the other waits.
UNDISTURBED: Final = "SET LOCAL idle_in_transaction_session_timeout = '30s'; "
LONG_WAIT: Final = "2s"
# Said to the source before any account is asked for anywhere: whoever waits for a position to be
# taken must not keep waiting those that it waits for.
ENTER: Final = "EXECUTE enter; "
PREPARE: Final = "PREPARE TRANSACTION"
_CONTENDED: Final = (
    errors.LockNotAvailable,
    errors.DeadlockDetected,
    errors.SerializationFailure,
    errors.IdleInTransactionSessionTimeout,
)
# By who gave the attempt up for lost, or by the same key of the same person at another account.
_OVERTAKEN: Final = ("decision_pkey", "request_pkey")
_SHUTDOWN: Final = (errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow)


def _go_on(_step: str) -> None:
    pass


on_step: Callable[[str], None] = _go_on
"""Called at each named step; the fault laboratory puts its own here, to die at one."""


class Contended(Exception):  # no error: the next attempt decides
    """An attempt came to nothing because others were at the accounts. Nothing was written."""


def attempts() -> Iterator[int]:
    """Yield the numbers of attempts, with pauses of chance length, while there is patience.

    Raises:
        Busy: it has run out.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    attempt = 1
    while attempt == 1 or time.monotonic() < deadline:
        yield attempt
        attempt += 1
        # Whoever met here must not meet again at once.
        time.sleep(random.uniform(0.002, 0.03))  # noqa: S311  # no secret
    message = _("The bank is busy. Nothing was done; please try again.")
    raise Busy(message)


def refuse_open_transaction(node: str) -> None:
    """Check that the source's own transaction will not become part of another one.

    Raises:
        RuntimeError: one is open.
    """
    if connections[node].in_atomic_block:
        message = "a transfer between nodes is decided by a transaction of its own"
        raise RuntimeError(message)


class Commitment:
    """One attempt to commit on two nodes. Leaving it rolls back whatever was not decided.

    ``wait`` is how long either side may wait for a lock.

    Raises:
        BranchDown: on entering, one of the two does not answer.
    """

    def __init__(self, crossing: UUID, attempt: int, *, source: str, destination: str) -> None:
        """Take a crossing's id and the number of the attempt; nothing is sent yet."""
        self._crossing = crossing
        self._attempt = attempt
        self._nodes = (source, destination)
        self._gid = gid_of(source, destination, crossing, attempt)
        self._decision: Literal["open", "committed", "unknown"] = "open"
        self._is_prepared = False
        self._is_in_doubt = False

    def __enter__(self) -> Self:
        """Take a line to each node."""
        source, destination = self._nodes
        self.source = _line(source)
        try:
            self.destination = _line(destination)
        except BranchDown:
            self.source.put_back()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        """Roll back both sides unless it is decided, and give the lines back."""
        try:
            if self._decision == "open":
                self.give_up()
        finally:
            self.source.put_back()
            self.destination.put_back()

    @property
    def preparing(self) -> str:
        """Return the statement that prepares the destination's part."""
        return f"{PREPARE} '{self._gid}'"

    @property
    def is_prepared(self) -> bool:
        """Tell whether the destination has promised to commit."""
        return self._is_prepared

    def note_prepared(self, answer: Answer) -> None:
        """Take the answer to a message that ends with ``preparing``."""
        # A transaction that had failed answers PREPARE with ROLLBACK, and without a complaint.
        self._is_prepared = answer.is_good and answer.tags[-1] == PREPARE
        self._is_in_doubt = answer.is_lost

    def decide(self) -> None:
        """Commit the source. From here on it is done, or it is not.

        Raises:
            BranchDown: the source did not commit; nothing was moved.
            OutcomeUnknown: nobody can tell yet.
        """
        source, _ = self._nodes
        self._decision = "unknown"
        on_step("prepared")
        answer = say(self.source, "COMMIT", seconds=ANSWER_SECONDS)
        if answer.tags == ("COMMIT",):
            outcome: str | None = "committed"
        elif answer.is_lost:
            outcome = outcome_of(source, self._crossing, self._attempt, seconds=ANSWER_SECONDS)
        else:
            outcome = "aborted"
        if outcome is None:
            raise OutcomeUnknown
        if outcome == "aborted":
            self._decision = "open"
            raise BranchDown(source)
        self._decision = "committed"
        on_step("decided")

    def settle(self) -> bool:
        """Commit the destination and tell whether it has; if not, ``recovery`` will see to it."""
        answer = say(self.destination, f"COMMIT PREPARED '{self._gid}'", seconds=ANSWER_SECONDS)
        on_step("settled")
        if isinstance(answer.complaint, errors.UndefinedObject):
            # Somebody else may have settled it meanwhile: then the money is there.
            return is_settled(self._nodes[1], self._crossing, self._attempt)
        return answer.is_good

    def give_up(self) -> None:
        """Roll both sides back. What may yet be prepared, unseen, can never be committed."""
        destination = f"ROLLBACK PREPARED '{self._gid}'" if self._is_prepared else "ROLLBACK"
        messages = {
            line: message
            for line, message in ((self.source, "ROLLBACK"), (self.destination, destination))
            if line.is_up
        }
        exchange(messages, seconds=ANSWER_SECONDS)
        self._is_prepared = False
        if self._is_in_doubt:
            outcome_of(self._nodes[0], self._crossing, self._attempt, seconds=1.0)


def _line(node: str) -> Line:
    try:
        return Line(node)
    except psycopg.OperationalError as error:
        raise BranchDown(node) from error


def raise_complaint(complaint: psycopg.Error, node: str) -> None:
    """Raise what a node's complaint means.

    Raises:
        Refused: the ledger refuses.
        Contended: a lock could not be had, or somebody else was faster.
        BranchDown: the node shuts down.
        Busy, BadText
    """
    refusal = refusal_in(complaint)
    if refusal is not None:
        raise refusal from complaint
    if complaint.diag.constraint_name in _OVERTAKEN or isinstance(complaint, _CONTENDED):
        raise Contended from complaint
    if isinstance(complaint, _SHUTDOWN):
        raise BranchDown(node) from complaint
    with passing_errors_translated():
        raise complaint
