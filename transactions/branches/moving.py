"""Moving an account to another node: its money and all that is its own, in one two-phase commit.

The old node hands over and decides, the new one takes over. The account's number stays as it is;
both nodes know where the account lives from their commits on, the others are told right after.
Should the one who tells them end before, `manage.py watch` does it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import structlog
from django.db import OperationalError, connections

from accounts.numbers import is_bank_account
from core.db.errors import Busy
from core.db.sql import queries
from core.errors import DomainError
from transactions.branches import commitment
from transactions.branches.clearing import clearing_account, open_clearing
from transactions.branches.commitment import (
    BEGIN,
    LONG_WAIT,
    UNDISTURBED,
    Commitment,
    Contended,
    attempts,
    raise_complaint,
    refuse_open_transaction,
)
from transactions.branches.following import follow_accounts
from transactions.branches.outcomes import BranchDown
from transactions.branches.registry import (
    HEAD_OFFICE,
    UnknownNode,
    follow,
    node_of,
    nodes,
    refresh,
)
from transactions.branches.wire import Answer, Line, say
from transactions.ledger.accounts import LOANS
from transactions.ledger.codes import Code, Refused
from transactions.ledger.connection import ledger_cursor

HEAD_OFFICE_CODE: Final = "HO"
# An account with a long history has much to take along.
_MOVE_SECONDS: Final = 30.0
_QUERIES: Final = queries(Path(__file__).parent / "sql" / "moving.sql")
_log = structlog.get_logger(__name__)


class AlreadyThere(DomainError):
    """An account lives where it is to move to."""

    code = "already_there"


class NotMovable(DomainError):
    """An account is the bank's own or a loan's, which belong to their branch."""

    code = "not_movable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """An account that has moved; ``settling``: the new node's part is decided and still to come."""

    number: int
    source: str
    destination: str
    settling: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Going:
    id: UUID
    number: int
    currency: str
    purpose: str
    side: int
    client: int
    source: str
    destination: str


def move_account(number: int, *, code: str, client: int) -> Moved:
    """Move an account to the node of the branch ``code``; the head office's is HO.

    Holders, limits and what counts against them, and the answers to requests move along; who pays
    the account or from it meanwhile waits, or is sent after it. No transaction may be open.

    Raises:
        UnknownNode, AlreadyThere, NotMovable
        Refused: there is no such account, it is closed, or money is on hold.
        BranchDown, Busy: nothing was moved.
        OutcomeUnknown: the old node fell silent while it decided.
    """
    if is_bank_account(number):
        message = f"{number} is an account of the bank's own and stays where it is."
        raise NotMovable(message)
    destination = _node_named(code)
    follow(number)
    moved = follow_accounts(number, work=lambda: _carry_out(number, destination, client))
    follow(number)
    _tell_others(moved)
    return moved


def spread_moves(*, node: str) -> None:
    """Let a branch and the head office know the same of where accounts live.

    Raises:
        BranchDown: one of the two does not answer.
    """
    if node == HEAD_OFFICE or _ask(node, "state") == _ask(HEAD_OFFICE, "state"):
        return
    here, there = set(_ask(node, "all_moves")), set(_ask(HEAD_OFFICE, "all_moves"))
    for unaware, news in ((HEAD_OFFICE, here - there), (node, there - here)):
        for number, where, moves in news:
            _ask(unaware, "note", number=number, lives_on=where, moves=moves)


def _node_named(code: str) -> str:
    refresh()
    node = HEAD_OFFICE if code == HEAD_OFFICE_CODE else code
    if node not in nodes() or code == HEAD_OFFICE:
        message = f"The bank has no node {code}."
        raise UnknownNode(message)
    return node


def _carry_out(number: int, destination: str, client: int) -> Moved:
    source = node_of(number)
    if source == destination:
        message = f"{number} lives there already."
        raise AlreadyThere(message)
    refuse_open_transaction(source)
    account = next(iter(_ask(source, "account", number=number)), None)
    if account is None:
        raise Refused(Code.UNKNOWN_ACCOUNT)
    if account.purpose in LOANS:
        message = f"{number} is a loan's: what was charged and repaid on it stays with it."
        raise NotMovable(message)
    open_clearing(source, destination, currencies=[account.currency])
    going = _Going(
        id=uuid4(),
        number=number,
        currency=account.currency,
        purpose=account.purpose,
        side=account.side,
        client=client,
        source=source,
        destination=destination,
    )
    for attempt in attempts():
        try:
            with _Attempt(going, attempt) as tried:
                return tried.carry_out()
        except Contended:
            continue
    raise AssertionError  # attempts() ends by raising


class _Attempt(Commitment):
    """One try at a move. The old node is worked first: it knows what there is to take over."""

    def __init__(self, going: _Going, number: int) -> None:
        super().__init__(going.id, number, source=going.source, destination=going.destination)
        self._going = going
        self._number = number

    def carry_out(self) -> Moved:
        """Hand over, take over, decide, and settle."""
        commitment.on_step("begun")
        belongings = self._hand_over()
        self._expect()
        self._take_over(belongings)
        if not self.is_prepared:
            raise Contended
        self.decide()
        is_settled = self.settle()
        going = self._going
        return Moved(
            number=going.number,
            source=going.source,
            destination=going.destination,
            settling=not is_settled,
        )

    def _hand_over(self) -> str | None:
        going = self._going
        text = self.source.text(
            _QUERIES["hand_over"],
            (
                going.id,
                self._number,
                going.destination,
                clearing_account(going.source, other=going.destination, currency=going.currency),
                going.number,
                going.client,
            ),
        )
        return _said(self.source, _begin() + UNDISTURBED + text).row[0]

    def _expect(self) -> None:
        """Make room in a transaction of its own: who comes before the move is settled must wait."""
        going = self._going
        parameters = (going.number, going.currency, going.purpose, going.side)
        _said(self.destination, self.destination.text(_QUERIES["expect"], parameters))

    def _take_over(self, belongings: str | None) -> None:
        going = self._going
        text = self.destination.text(
            _QUERIES["take_over"],
            (
                going.id,
                self._number,
                going.source,
                going.destination,
                clearing_account(going.destination, other=going.source, currency=going.currency),
                going.client,
                belongings,
            ),
        )
        answer = say(self.destination, f"{_begin()}{text}; {self.preparing}", seconds=_MOVE_SECONDS)
        self.note_prepared(answer)
        _raise_complaint(answer, self.destination)


def _begin() -> str:
    return BEGIN.format(wait=LONG_WAIT)


def _said(line: Line, message: str) -> Answer:
    """Send a message, and return the answer if it is a good one."""
    answer = say(line, message, seconds=_MOVE_SECONDS)
    _raise_complaint(answer, line)
    return answer


def _raise_complaint(answer: Answer, line: Line) -> None:
    if answer.complaint is not None:
        raise_complaint(answer.complaint, line.node)
    if answer.is_lost:
        raise BranchDown(line.node)


def _tell_others(moved: Moved) -> None:
    """Tell the nodes that were not at it where the account lives, as far as they answer."""
    for node in nodes():
        if node not in {moved.source, moved.destination}:
            try:
                for where, moves in _ask(moved.source, "moves_of", number=moved.number):
                    _ask(node, "note", number=moved.number, lives_on=where, moves=moves)
            except (BranchDown, Busy):
                _log.warning("move_not_told", account=moved.number, node=node)


def _ask(node: str, name: str, **parameters: Any) -> list[Any]:
    """Run a query on a node.

    Raises:
        BranchDown: it does not answer.
    """
    try:
        with ledger_cursor(node) as cursor:
            return cursor.execute(_QUERIES[name], parameters).fetchall()
    except (OperationalError, psycopg.OperationalError) as error:
        connections[node].close()
        raise BranchDown(node) from error
