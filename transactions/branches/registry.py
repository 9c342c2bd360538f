"""Which nodes the bank has and on which one an account lives, without a query for each question.

The first question reads the directory; from then on a thread of this process reads it again each
second, so that nodes and moves are noticed within two. While the head office is down the last word
counts; a process that starts then asks the branches it was configured with.
"""

import atexit
import os
import threading
from typing import Final

import psycopg
import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from core.db import aliases
from core.db.addresses import database_settings
from core.db.aliases import HEAD_OFFICE
from core.errors import DomainError
from transactions.branches.directory import (
    Directory,
    Move,
    ask_about,
    ask_branches,
    ask_head_office,
    connect,
)

__all__ = [
    "HEAD_OFFICE",
    "UnknownNode",
    "branch_number_of",
    "follow",
    "forget",
    "has_moved",
    "home_of",
    "node_of",
    "nodes",
    "refresh",
]

PERIOD_SECONDS: Final = 1.0
_BRANCH_DIGITS: Final = 10**9

_log = structlog.get_logger(__name__)


class UnknownNode(DomainError):
    """No node of the bank has the code."""

    code = "unknown_node"


def nodes() -> list[str]:
    """Return the aliases of the nodes that take writes, the head office first."""
    return list(_registry.directory().numbers)


def node_of(number: int) -> str:
    """Return the node on which the account ``number`` lives, or would live if there were one.

    A branch without a node of its own has its accounts at the head office.
    """
    move = _registry.move_of(number)
    if move is not None:
        return move.node
    return _registry.by_number.get(number // _BRANCH_DIGITS, HEAD_OFFICE)


def home_of(number: int) -> str:
    """Return the node that an account's number names, wherever the account has moved since."""
    _registry.directory()
    return _registry.by_number.get(number // _BRANCH_DIGITS, HEAD_OFFICE)


def has_moved(number: int) -> bool:
    """Tell whether an account has ever moved: then other nodes have a part of its history."""
    return _registry.move_of(number) is not None


def follow(number: int) -> None:
    """Ask node after node where an account went, from the one on which it is thought to be.

    A node that does not answer ends the search.
    """
    for _each in nodes():
        try:
            move = ask_about(number, node_of(number))
        except psycopg.Error:
            return
        if move is None or not _registry.note(number, move):
            return


def branch_number_of(node: str) -> int:
    """Return the number of the branch whose node it is.

    Raises:
        UnknownNode: there is no such node.
    """
    try:
        return _registry.directory().numbers[node]
    except KeyError:
        message = _("The bank has no node %(node)s.") % {"node": node}
        raise UnknownNode(message) from None


def refresh() -> None:
    """Read the directory now, in this thread, and make new nodes' aliases usable."""
    _registry.refresh()


def forget() -> None:
    """Know nothing any more, as a process does that has just started."""
    _registry.forget()


class _Registry:
    """The directory as this process knows it. Readers take no lock: it is replaced, not changed."""

    def __init__(self) -> None:
        self.by_number: dict[int, str] = {}
        self._directory: Directory | None = None
        # What nodes told of moves before the head office did.
        self._followed: dict[int, Move] = {}
        self._urls: dict[str, str] = {}
        self._lock = threading.Lock()
        self._stop: threading.Event | None = None
        self._is_silent = False

    def directory(self) -> Directory:
        """Return what is known; the first call reads it, and begins to watch."""
        found = self._directory
        if found is None or self._stop is None:
            # What a fork brought along may be old.
            self._watch()
            found = self.refresh()
        return found

    def move_of(self, number: int) -> Move | None:
        """Return the newest move of an account that is known."""
        moved, followed = self.directory().moved.get(number), self._followed.get(number)
        return max(moved, followed) if moved and followed else moved or followed

    def note(self, number: int, move: Move) -> bool:
        """Take over what a node told of an account, and tell whether it is news."""
        known = self.move_of(number)
        if known is not None and known >= move:
            return False
        self._followed[number] = move
        return True

    def refresh(self) -> Directory:
        """Read the directory now."""
        try:
            with connect(HEAD_OFFICE) as head_office:
                return self._learn(ask_head_office(head_office, last=self._directory))
        except psycopg.Error as error:
            self._complain(error)
        # Its last word, if there was one, tells more than the branches can.
        return self._directory or self._learn(ask_branches())

    def forget(self) -> None:
        """Stop watching, and forget all."""
        with self._lock:
            if self._stop is not None:
                self._stop.set()
            self._stop = self._directory = None
            for alias in self._urls:
                aliases.remove(alias)
            self._urls, self.by_number, self._followed = {}, {}, {}

    def restart_in_child(self) -> None:
        """Watch anew after a fork, which leaves threads and who held locks behind."""
        self._lock, self._stop = threading.Lock(), None

    def _watch(self) -> None:
        with self._lock:
            if self._stop is not None:
                return
            self._stop = threading.Event()
            arguments = (self._stop,)
        threading.Thread(
            target=self._keep_reading, args=arguments, name="node registry", daemon=True
        ).start()

    def _keep_reading(self, stop: threading.Event) -> None:
        """Read the directory each second on one connection, until told to stop."""
        while not stop.wait(PERIOD_SECONDS):
            try:
                with connect(HEAD_OFFICE) as head_office:
                    self._read_until(stop, head_office)
            except psycopg.Error as error:
                self._complain(error)

    def _read_until(self, stop: threading.Event, head_office: psycopg.Connection) -> None:
        while not stop.is_set():
            self._learn(ask_head_office(head_office, last=self._directory), unless=stop)
            stop.wait(PERIOD_SECONDS)

    def _complain(self, error: psycopg.Error) -> None:
        """Log that the head office is silent, once until it answers again."""
        if not self._is_silent:
            _log.warning("head_office_not_asked", error=" ".join(str(error).split()))
        self._is_silent = True

    def _learn(self, found: Directory, *, unless: threading.Event | None = None) -> Directory:
        """Take over what was read, ``unless`` the one who read it has been stopped meanwhile."""
        with self._lock:
            if unless is not None and unless.is_set():
                return found
            self._add_aliases(found)
            self.by_number = {number: alias for alias, number in found.numbers.items()}
            self._directory = found
            self._is_silent = False
            return found

    def _add_aliases(self, found: Directory) -> None:
        """Make nodes usable that joined since; those of the configuration stay as configured."""
        for alias, url in found.urls.items():
            if alias in settings.DATABASES or self._urls.get(alias) == url:
                continue
            # Noted before it is tried: a bad address is complained of once.
            self._urls[alias] = url
            try:
                database = database_settings(
                    url, name=f"node {alias}", allow_plaintext=settings.ALLOW_PLAINTEXT
                )
            except ImproperlyConfigured as error:
                _log.error("node_not_usable", node=alias, error=str(error))
            else:
                aliases.add(alias, database)


_registry: Final = _Registry()
os.register_at_fork(after_in_child=_registry.restart_in_child)
# A watch that outlived the logs would have nowhere to complain to.
atexit.register(_registry.forget)
