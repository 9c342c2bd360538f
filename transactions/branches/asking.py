"""Asking the nodes: one query on the replica while it is fresh enough, else the primaries in turn.

A node that does not answer is noted with the request, for the page to name; it fails only where
nothing else was asked for.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Final, TypeVar
from uuid import UUID

import psycopg
from django.db import InterfaceError, OperationalError

from core.db import reading
from core.db.aliases import HEAD_OFFICE
from core.db.errors import Busy
from transactions.branches.outcomes import BranchDown
from transactions.branches.registry import has_moved, node_of, nodes

Answer = TypeVar("Answer")
_SILENCE: Final = (
    OperationalError,
    InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    Busy,
)


def ask_everywhere(ask: Callable[[str], list[Answer]]) -> list[Answer]:
    """Return the answers of all nodes that answer."""
    found = _asked_replica(ask)
    if found is None:
        found = [answer for answers in _asked_in_turn(ask, nodes()) for answer in answers]
    return found


def ask_for_account(number: int, ask: Callable[[str], list[Answer]]) -> list[Answer]:
    """Return the answers of the nodes that have had an account: nearly always one.

    Raises:
        BranchDown: none of them answers.
    """
    found = _asked_replica(ask)
    if found is not None:
        return found
    answers = list(_asked_in_turn(ask, _homes(number)))
    if not answers:
        raise BranchDown(node_of(number))
    return [answer for several in answers for answer in several]


def ask_head_office(ask: Callable[[str], Answer]) -> Answer | None:
    """Return what the head office knows; None when it does not answer."""
    found = _asked_replica(ask)
    return next(_asked_in_turn(ask, [HEAD_OFFICE]), None) if found is None else found


def read_everywhere(
    rows_of: Callable[[str], Iterator[Answer]],
    homes: Iterable[str],
    *,
    newest_by: Callable[[Answer], UUID],
) -> Iterator[Answer]:
    """Yield the rows of all ``homes``, newest first, as whoever reads on comes to them.

    ``rows_of`` yields those of one database, newest first.

    Raises:
        BranchDown: at once, when one does not answer; later, the reading breaks off.
    """
    copy = reading.source()
    if copy is not None:
        try:
            return _begun(copy, rows_of)
        except BranchDown as error:
            reading.give_up_replica(error)
    return heapq.merge(*[_begun(node, rows_of) for node in homes], key=newest_by, reverse=True)


def ask_head_office_itself(ask: Callable[[str], Answer]) -> Answer | None:
    """Return what the head office alone knows, and no copy; None when it does not answer."""
    return next(_asked_in_turn(ask, [HEAD_OFFICE]), None)


def ask_homes_themselves(number: int, ask: Callable[[str], list[Answer]]) -> list[Answer] | None:
    """Return what the nodes alone know that have had an account; None when one does not answer."""
    homes = _homes(number)
    answers = list(_asked_in_turn(ask, homes))
    return None if len(answers) < len(homes) else [one for several in answers for one in several]


def refuse_silence_of(*homes: str) -> None:
    """Refuse to call missing what a silent node may have.

    Raises:
        BranchDown: one of ``homes`` did not answer this request.
    """
    for node in homes:
        if node in reading.silent_nodes():
            raise BranchDown(node)


def _begun(source: str, rows_of: Callable[[str], Iterator[Answer]]) -> Iterator[Answer]:
    """Return the rows of a database, the first of which have been read.

    Raises:
        BranchDown: it does not answer.
    """
    rows = rows_of(source)
    try:
        return chain(list(islice(rows, 1)), rows)
    except _SILENCE as error:
        raise BranchDown(source) from error


def _homes(number: int) -> Sequence[str]:
    return nodes() if has_moved(number) else [node_of(number)]


def _asked_replica(ask: Callable[[str], Answer]) -> Answer | None:
    alias = reading.source()
    if alias is None:
        return None
    try:
        return ask(alias)
    except _SILENCE as error:
        reading.give_up_replica(error)
        return None


def _asked_in_turn(ask: Callable[[str], Answer], homes: Iterable[str]) -> Iterator[Answer]:
    for node in homes:
        try:
            yield ask(node)
        except _SILENCE:
            reading.note_silent(node)
