"""Batches between two nodes: one two-phase commit for up to 10,000 transfers.

Each side decides about every item, and an item counts only where both sides take it. Both sides are
first asked about all items; where one refuses some, the payee's side is asked again with what the
source's made of that.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg

from transactions.branches.clearing import clearing_account, open_clearing
from transactions.branches.commitment import (
    ANSWER_SECONDS,
    BEGIN,
    ENTER,
    LONG_WAIT,
    UNDISTURBED,
    Commitment,
    Contended,
    attempts,
    raise_complaint,
    refuse_open_transaction,
)
from transactions.branches.outcomes import BranchDown
from transactions.branches.recovery import has_arrived, refuse_unlasting
from transactions.branches.registry import branch_number_of
from transactions.branches.wire import Answer, Line, say
from transactions.ledger.arrays import Smallints, adapt_packed_arrays
from transactions.ledger.codes import Code
from transactions.ledger.connection import QUERIES
from transactions.ledger.posting import (
    BatchReceipt,
    Order,
    Transfer,
    answered_batch,
    batch_parameters,
)

BATCH_SECONDS: Final = 30.0
_SHORT_WAIT: Final = "300ms"


@dataclass(frozen=True, slots=True)
class _Side:
    """What one side makes of a batch: the refused items (from 0) with their codes."""

    first_id: UUID
    refusals: dict[int, int]
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """A batch as each of its two nodes has to post it; ``sent_by`` is the source's query."""

    id: UUID
    source: str
    destination: str
    items: int
    sending: dict[str, Any]
    receiving: dict[str, Any]
    sent_by: str = "send_batch"


def post_batch_across(
    transfers: Sequence[Transfer],
    *,
    order: Order,
    source: str,
    destination: str,
    is_chain: bool = False,
) -> BatchReceipt:
    """Post transfers from accounts of one node to accounts of another, each with its own result.

    As ``post_batch``: in order, earlier items count for later ones, linked ones stand or fall
    together. No transaction may be open on the source. With ``is_chain`` the answer stands for
    good, as that of ``post_chain``.

    Raises:
        Refused: the batch as a whole is malformed, or its key stands for another one.
        BranchDown, Busy: nothing was moved.
        OutcomeUnknown: the source fell silent while it decided.
    """
    refuse_open_transaction(source)
    currencies = {transfer.amount.currency for transfer in transfers}
    open_clearing(source, destination, currencies=currencies)
    sent_by = "send_chain" if is_chain else "send_batch"
    batch = replace(_batch(transfers, order, source, destination), sent_by=sent_by)
    for attempt in attempts():
        try:
            with _Attempt(batch, attempt) as tried:
                return tried.carry_out()
        except Contended:
            continue
    raise AssertionError  # attempts() ends by raising


def answered_batch_across(
    transfers: Sequence[Transfer], *, order: Order, source: str, destination: str
) -> BatchReceipt | None:
    """Return the receipt of this very batch posted before under its key, or None.

    Asks the source alone, which decides. Raises as ``posting.answered_batch``.
    """
    batch = _batch(transfers, order, source, destination)
    return answered_batch(batch.sending, items=batch.items, using=source)


def _batch(transfers: Sequence[Transfer], order: Order, source: str, destination: str) -> _Batch:
    owed = _clearing(source, destination, transfers)
    due = _clearing(destination, source, transfers)
    sent = [replace(transfer, credit=owed[transfer.amount.currency]) for transfer in transfers]
    received = [
        replace(transfer, debit=due[transfer.amount.currency], reference=None)
        for transfer in transfers
    ]
    return _Batch(
        id=uuid4(),
        source=source,
        destination=destination,
        items=len(transfers),
        sending=batch_parameters(sent, order, peers=[t.credit for t in transfers]),
        receiving=batch_parameters(received, order, peers=[t.debit for t in transfers]),
    )


def _clearing(node: str, other: str, transfers: Sequence[Transfer]) -> dict[str, int]:
    currencies = {transfer.amount.currency for transfer in transfers}
    return {
        currency: clearing_account(node, other=other, currency=currency) for currency in currencies
    }


class _Attempt(Commitment):
    """One try at a batch."""

    def __init__(self, batch: _Batch, number: int) -> None:
        super().__init__(batch.id, number, source=batch.source, destination=batch.destination)
        self._batch = batch
        self._number = number

    def carry_out(self) -> BatchReceipt:
        """Bring both sides to one mind, decide, and settle."""
        sent, received = self._ask_both()
        if not sent.replayed and (sent.refusals or received.refusals):
            sent = self._agree(sent, received)
        receipt = BatchReceipt(
            sent.first_id,
            self._batch.items,
            {item: Code(code) for item, code in sorted(sent.refusals.items())},
            sent.replayed,
        )
        if sent.replayed:
            refuse_unlasting(self._batch.source)
            arrived = has_arrived(self._batch.source, receipt.first_id)
            return replace(receipt, settling=not arrived)
        if len(sent.refusals) < self._batch.items:
            self._prepare()
        self.decide()
        is_settled = not self.is_prepared or self.settle()
        return replace(receipt, settling=not is_settled)

    def _ask_both(self) -> tuple[_Side, _Side]:
        if self._number == 1:
            with ThreadPoolExecutor(1) as other:
                receiving = other.submit(self._receive, {})
                sent = self._send({})
            # What was sent before may be waiting there still, in the way of the same once more.
            return sent, sent if sent.replayed else receiving.result()
        # One after the other, in the same order for all batches.
        if branch_number_of(self._batch.source) < branch_number_of(self._batch.destination):
            sent = self._send({})
            return sent, self._receive({})
        self._begin(self.source, ENTER)
        received = self._receive({})
        return self._send({}), received

    def _agree(self, sent: _Side, received: _Side) -> _Side:
        """Ask again with what the other side refused, and return the source's last word."""
        if received.refusals:
            _roll_back(self.source)
            sent = self._send(received.refusals)
        _roll_back(self.destination)
        if len(sent.refusals) < self._batch.items:
            received = self._receive(sent.refusals)
            if received.refusals.keys() != sent.refusals.keys():
                # The payees' accounts have changed in between.
                raise Contended
        return sent

    def _send(self, refused: dict[int, int]) -> _Side:
        own = {"destination": self._batch.destination}
        row = self._run(self.source, self._batch.sent_by, {**self._batch.sending, **own}, refused)
        return _Side(row.first_id, _refusals(row), row.replayed)

    def _receive(self, refused: dict[int, int]) -> _Side:
        own = {"source": self._batch.source}
        row = self._run(
            self.destination, "receive_batch", {**self._batch.receiving, **own}, refused
        )
        return _Side(row.first_id, _refusals(row))

    def _run(
        self, line: Line, name: str, parameters: dict[str, Any], refused: dict[int, int]
    ) -> Any:
        codes = [refused.get(item, 0) for item in range(self._batch.items)]
        if not line.has_begun:
            self._begin(line)
        try:
            with line.cursor(seconds=BATCH_SECONDS) as cursor:
                adapt_packed_arrays(cursor)
                cursor.execute(
                    QUERIES[name],
                    {
                        **parameters,
                        "id": self._batch.id,
                        "attempt": self._number,
                        "refused": Smallints(codes) if refused else None,
                    },
                    prepare=True,
                )
                return cursor.fetchone()
        except psycopg.Error as error:
            if not line.is_up:
                raise BranchDown(line.node) from error
            raise_complaint(error, line.node)

    def _begin(self, line: Line, more: str = "") -> None:
        wait = _SHORT_WAIT if self._number == 1 else LONG_WAIT
        begun = say(line, BEGIN.format(wait=wait) + UNDISTURBED + more, seconds=ANSWER_SECONDS)
        if begun.complaint is not None:
            raise_complaint(begun.complaint, line.node)
        if begun.is_lost:
            raise BranchDown(line.node)

    def _prepare(self) -> None:
        answer = say(self.destination, self.preparing, seconds=ANSWER_SECONDS)
        self.note_prepared(answer)
        _raise_lost(answer, self.destination)
        if not self.is_prepared:
            raise Contended


def _roll_back(line: Line) -> None:
    _raise_lost(say(line, "ROLLBACK", seconds=ANSWER_SECONDS), line)


def _raise_lost(answer: Answer, line: Line) -> None:
    if answer.is_lost:
        raise BranchDown(line.node)


def _refusals(row: Any) -> dict[int, int]:
    items, codes = row.refused_items or (), row.refused_codes or ()
    return {item - 1: code for item, code in zip(items, codes, strict=True)}
