"""Transfers between two nodes: both or neither, whatever fails.

Two-phase commit with the source as the last resource: the destination's part is prepared, then the
source commits its own part and the decision in one transaction, then the destination commits. Three
messages one after the other, since both parts are worked at the same time.

No node sees a deadlock between nodes. Hence the first attempt waits for locks only shortly; where
that is not enough both sides give up, and later attempts work one side after the other, in the same
order for all transfers. What is in doubt is left to ``recovery``, which asks for the decision.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, Self
from uuid import UUID, uuid4

import psycopg
from django.db import connections
from psycopg import errors

from core.db.errors import Busy, passing_errors_translated
from transactions.branches.clearing import clearing_account, open_clearing
from transactions.branches.outcomes import BranchDown, OutcomeUnknown
from transactions.branches.recovery import gid_of, outcome_of
from transactions.branches.registry import branch_number_of
from transactions.branches.wire import Answer, Line, exchange, say
from transactions.ledger.codes import refusal_in
from transactions.ledger.posting import Order, Receipt, Transfer

ANSWER_SECONDS: Final = 5.0
PATIENCE_SECONDS: Final = 4.0
_SHORT_WAIT: Final = "100ms"
_LONG_WAIT: Final = "2s"
# A coordinator that hangs in the middle gives up its locks, and its say, after this time.
_BEGIN: Final = (
    "BEGIN; SET LOCAL lock_timeout = '{wait}'; "
    "SET LOCAL idle_in_transaction_session_timeout = '3s'; "
)
_PREPARED: Final = "PREPARE TRANSACTION"
_CONTENDED: Final = (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure)
_SHUTDOWN: Final = (errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow)


def _go_on(_step: str) -> None:
    pass


on_step: Callable[[str], None] = _go_on
"""Called at each named step; the fault laboratory puts its own here, to die at one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A transfer from one node to another. Its legs have ids of their own."""

    id: UUID
    transfer: Transfer
    order: Order
    source: str
    destination: str

    @property
    def debited_first(self) -> bool:
        """Tell which side is worked first when both cannot be at once: the same way for all."""
        transfer = self.transfer
        return (branch_number_of(self.source), transfer.debit) < (
            branch_number_of(self.destination),
            transfer.credit,
        )


class _Contended(Exception):  # no error: the next attempt decides
    """An attempt came to nothing because others were at the accounts."""


def transfer_across(transfer: Transfer, *, order: Order, source: str, destination: str) -> Receipt:
    """Pay from an account of one node to an account of another.

    No transaction may be open on the source: it is decided by one of its own. ``settling`` of the
    receipt says that it is decided, and the payee's side still to come.

    Raises:
        Refused: by one of the two sides; nothing was moved.
        BranchDown: one of the two nodes does not answer; nothing was moved.
        Busy: others were at the accounts all the time; nothing was moved.
        OutcomeUnknown: the source fell silent while it decided.
    """
    crossing = _crossing(transfer, order, source, destination)
    deadline = time.monotonic() + PATIENCE_SECONDS
    attempt = 0
    while attempt == 0 or time.monotonic() < deadline:
        attempt += 1
        try:
            with _Attempt(crossing, attempt) as tried:
                return tried.carry_out()
        except _Contended:
            # Whoever met here must not meet again at once.
            time.sleep(random.uniform(0.002, 0.03))  # noqa: S311  # no secret
    message = "The bank is busy. Nothing was done; please try again."
    raise Busy(message)


def rehearse_across(transfer: Transfer, *, order: Order, source: str, destination: str) -> Receipt:
    """Return what ``transfer_across`` would answer, and write nothing. Raises as it does."""
    crossing = _crossing(transfer, order, source, destination)
    try:
        with _Attempt(crossing, 1, wait=_LONG_WAIT) as tried:
            return tried.rehearse()
    except _Contended as contended:
        message = "The bank is busy. Nothing was done; please try again."
        raise Busy(message) from contended


def _crossing(transfer: Transfer, order: Order, source: str, destination: str) -> Crossing:
    if connections[source].in_atomic_block:
        message = "a transfer between nodes is decided by a transaction of its own"
        raise RuntimeError(message)
    try:
        open_clearing(source, destination, currencies=[transfer.amount.currency])
    except psycopg.OperationalError as error:
        raise BranchDown(_node_of(error, source, destination)) from error
    return Crossing(
        id=uuid4(), transfer=transfer, order=order, source=source, destination=destination
    )


def _node_of(_error: psycopg.Error, source: str, destination: str) -> str:
    """Return which of two nodes does not answer."""
    for node in (source, destination):
        try:
            Line(node).put_back()
        except psycopg.OperationalError:
            return node
    return destination


class _Attempt:
    """One try at a crossing. Leaving it rolls back whatever was not decided."""

    def __init__(self, crossing: Crossing, number: int, *, wait: str | None = None) -> None:
        self._crossing = crossing
        self._number = number
        self._gid = gid_of(crossing.source, crossing.destination, crossing.id, number)
        self._begin = _BEGIN.format(wait=wait or (_SHORT_WAIT if number == 1 else _LONG_WAIT))
        self._decision: Literal["open", "committed", "unknown"] = "open"
        self._is_prepared = False
        self._is_in_doubt = False

    def __enter__(self) -> Self:
        self._source = self._line(self._crossing.source)
        try:
            self._destination = self._line(self._crossing.destination)
        except BranchDown:
            self._source.put_back()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        try:
            if self._decision == "open":
                self._give_up()
        finally:
            self._source.put_back()
            self._destination.put_back()

    def carry_out(self) -> Receipt:
        """Work both sides, decide, and settle."""
        on_step("begun")
        sent, received = self._together() if self._number == 1 else self._in_order()
        receipt = self._checked(sent, received)
        if receipt.replayed:
            return receipt
        on_step("prepared")
        self._decide()
        on_step("decided")
        is_settled = self._settle()
        on_step("settled")
        return Receipt(
            receipt.transfer_id, receipt.debit_after, None, replayed=False, settling=not is_settled
        )

    def rehearse(self) -> Receipt:
        """Work both sides and leave it at that."""
        sent, received = exchange(
            {self._source: self._sending(), self._destination: self._receiving()},
            seconds=ANSWER_SECONDS,
        )
        self._raise_complaints(sent, received)
        return _receipt(sent)

    def _line(self, node: str) -> Line:
        try:
            return Line(node)
        except psycopg.OperationalError as error:
            raise BranchDown(node) from error

    def _sending(self) -> str:
        crossing, transfer, order = self._crossing, self._crossing.transfer, self._crossing.order
        currency = transfer.amount.currency
        clearing = clearing_account(crossing.source, other=crossing.destination, currency=currency)
        return self._begin + self._execute(
            self._source,
            "send",
            crossing.id,
            self._number,
            crossing.destination,
            clearing,
            order.client,
            order.key,
            transfer.debit,
            transfer.credit,
            transfer.amount.minor,
            currency,
            transfer.kind,
            order.channel,
            order.day,
            order.holder,
            transfer.memo,
            transfer.reference,
            transfer.event_at,
        )

    def _receiving(self) -> str:
        crossing, transfer, order = self._crossing, self._crossing.transfer, self._crossing.order
        currency = transfer.amount.currency
        clearing = clearing_account(crossing.destination, other=crossing.source, currency=currency)
        return self._begin + self._execute(
            self._destination,
            "receive",
            crossing.id,
            self._number,
            crossing.source,
            clearing,
            order.client,
            transfer.debit,
            transfer.credit,
            transfer.amount.minor,
            currency,
            transfer.kind,
            order.channel,
            transfer.memo,
            transfer.event_at,
        )

    @staticmethod
    def _execute(line: Line, statement: str, *parameters: Any) -> str:
        places = ", ".join(["%s"] * len(parameters))
        with passing_errors_translated():
            return line.text(f"EXECUTE {statement} ({places}); ", parameters)

    def _preparing(self) -> str:
        return f"{_PREPARED} '{self._gid}'"

    def _together(self) -> tuple[Answer, Answer]:
        """Work both sides at once, and prepare."""
        messages = {
            self._source: self._sending(),
            self._destination: self._receiving() + self._preparing(),
        }
        sent, received = exchange(messages, seconds=ANSWER_SECONDS)
        self._note_prepared(received)
        return sent, received

    def _in_order(self) -> tuple[Answer, Answer]:
        """Work one side after the other, and prepare last."""
        if self._crossing.debited_first:
            sent = say(self._source, self._sending(), seconds=ANSWER_SECONDS)
            if not sent.is_good:
                return sent, Answer()
            message = self._receiving() + self._preparing()
            received = say(self._destination, message, seconds=ANSWER_SECONDS)
        else:
            received = say(self._destination, self._receiving(), seconds=ANSWER_SECONDS)
            if not received.is_good:
                return Answer(), received
            sent = say(self._source, self._sending(), seconds=ANSWER_SECONDS)
            if not sent.is_good:
                return sent, received
            received = say(self._destination, self._preparing(), seconds=ANSWER_SECONDS)
        self._note_prepared(received)
        return sent, received

    def _note_prepared(self, received: Answer) -> None:
        # A transaction that had failed answers PREPARE with ROLLBACK, and without a complaint.
        self._is_prepared = received.is_good and received.tags[-1] == _PREPARED
        self._is_in_doubt = received.is_lost

    def _checked(self, sent: Answer, received: Answer) -> Receipt:
        """Return the receipt when both sides are ready, or the source has answered this before."""
        if sent.is_good and sent.row:
            receipt = _receipt(sent)
            if receipt.replayed:
                return receipt
        self._raise_complaints(sent, received)
        if not self._is_prepared:
            raise _Contended
        return _receipt(sent)

    def _raise_complaints(self, sent: Answer, received: Answer) -> None:
        """Raise what one of the two sides complains of; the source's word counts first."""
        for line, answer in ((self._source, sent), (self._destination, received)):
            if answer.complaint is not None:
                _raise_complaint(answer.complaint, line.node)
            if answer.is_lost:
                raise BranchDown(line.node)

    def _decide(self) -> None:
        """Commit the source. From here on the transfer is made, or it is not."""
        self._decision = "unknown"
        answer = say(self._source, "COMMIT", seconds=ANSWER_SECONDS)
        if answer.tags == ("COMMIT",):
            self._decision = "committed"
            return
        outcome = None if answer.is_lost else "aborted"
        outcome = outcome or outcome_of(
            self._crossing.source, self._crossing.id, self._number, seconds=ANSWER_SECONDS
        )
        if outcome is None:
            raise OutcomeUnknown
        if outcome == "aborted":
            self._decision = "open"
            raise BranchDown(self._crossing.source)
        self._decision = "committed"

    def _settle(self) -> bool:
        """Commit the destination; when it does not answer, ``recovery`` will."""
        answer = say(self._destination, f"COMMIT PREPARED '{self._gid}'", seconds=ANSWER_SECONDS)
        # Somebody else may have settled it meanwhile: then there is nothing left to commit.
        return answer.is_good or isinstance(answer.complaint, errors.UndefinedObject)

    def _give_up(self) -> None:
        """Roll both sides back. What may yet be prepared, unseen, can never be committed."""
        destination = f"ROLLBACK PREPARED '{self._gid}'" if self._is_prepared else "ROLLBACK"
        messages = {
            line: message
            for line, message in ((self._source, "ROLLBACK"), (self._destination, destination))
            if line.is_up
        }
        exchange(messages, seconds=ANSWER_SECONDS)
        if self._is_in_doubt:
            outcome_of(self._crossing.source, self._crossing.id, self._number, seconds=1.0)


def _receipt(sent: Answer) -> Receipt:
    transfer_id, debit_after, replayed = sent.row
    return Receipt(
        UUID(transfer_id),
        None if debit_after is None else int(debit_after),
        None,
        replayed=replayed == "t",
    )


def _raise_complaint(complaint: psycopg.Error, node: str) -> None:
    """Raise what a node's complaint means."""
    refusal = refusal_in(complaint)
    if refusal is not None:
        raise refusal from complaint
    if isinstance(complaint, _CONTENDED) or _is_fenced(complaint):
        raise _Contended from complaint
    if isinstance(complaint, _SHUTDOWN):
        raise BranchDown(node) from complaint
    with passing_errors_translated():
        raise complaint


def _is_fenced(complaint: psycopg.Error) -> bool:
    """Tell whether the attempt was given up for lost while it was under way."""
    return complaint.diag.constraint_name == "decision_pkey"
