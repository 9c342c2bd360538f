"""Keeping backups: receive every node's log, seal it, set marks, take a base backup each day.

A thread for each node, so that one that is silent keeps no other waiting; marks are set here.
"""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Final, Self

import psycopg
import structlog
from django.conf import settings
from django.db import connections

from bankproject.backup.failures import BackupFailed
from bankproject.backup.pruning import prune
from bankproject.backup.receiving import Receiver, wait_until_received
from bankproject.backup.repository import Base, Repository, Store
from bankproject.backup.servers import connect, one
from bankproject.backup.taking import take_base
from core.alive import show_alive
from core.clock import now
from core.errors import DomainError
from transactions.branches import registry
from transactions.branches.marks import set_mark

# A bank that is restored forgets so much at most.
MARK_SECONDS: Final = 1.0
BASE_EVERY: Final = timedelta(days=1)
_TEND_SECONDS: Final = 0.5
_log = structlog.get_logger(__name__)


def keep(repository: Repository, *, stop: threading.Event) -> None:
    """Keep the backups of all nodes until told to stop; what fails is logged, and tried again."""
    with ExitStack() as stack:
        stack.callback(stop.set)
        keepers: dict[str, _Keeper] = {}
        marker = _Marker(repository)
        stack.callback(marker.hang_up)
        while not stop.is_set():
            show_alive()
            before = time.monotonic()
            for node in registry.nodes():
                if node not in keepers:
                    keepers[node] = stack.enter_context(_Keeper(node, repository, stop))
            if all(keeper.is_backed_up for keeper in keepers.values()):
                marker.mark()
            stop.wait(max(before + MARK_SECONDS - time.monotonic(), 0.0))


class _Troubles:
    """Logs a trouble once, and its end."""

    def __init__(self, **place: str) -> None:
        self._place = place
        self._known = ""

    def note(self, error: Exception) -> None:
        """Take notice of a failure."""
        reason = " ".join(str(error).split())
        if reason != self._known:
            self._known = reason
            _log.error("backup_failing", reason=reason, **self._place)

    def over(self) -> None:
        """Take notice that all is well."""
        if self._known:
            self._known = ""
            _log.info("backup_well_again", **self._place)


class _Keeper:
    """Receives, seals, and takes base backups of one node, on a thread of its own."""

    def __init__(self, node: str, repository: Repository, stop: threading.Event) -> None:
        self.is_backed_up = False
        self._node = node
        self._repository = repository
        self._stop = stop
        self._troubles = _Troubles(node=node)
        self._thread = threading.Thread(target=self._work, name=f"backup {node}")

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Wait until it has stopped, as it was told to."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        with Receiver(self._node, self._repository) as receiver:
            while not self._stop.is_set():
                self._try(lambda: self._tend(receiver))
                self._stop.wait(_TEND_SECONDS)
        connections.close_all()

    def _tend(self, receiver: Receiver) -> None:
        receiver.tend()
        receiver.seal_finished()
        if receiver.is_receiving and is_base_due(self._repository.of(self._node), at=now()):
            self._take()
        self.is_backed_up = receiver.is_receiving

    def _take(self) -> None:
        _wait_for_receiver(self._node)
        base = take_and_prune(self._node, self._repository)
        self._repository.of(self._node).close_gap()
        _log.info("base_backup_taken", node=self._node, name=base.name, parts=len(base.parts))

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (BackupFailed, OSError, psycopg.Error) as error:
            self.is_backed_up = False
            self._troubles.note(error)
        except Exception:  # noqa: BLE001  # no failure may end the keeping
            self.is_backed_up = False
            _log.exception("backup_failing", node=self._node)
        else:
            self._troubles.over()


def is_base_due(store: Store, *, at: datetime) -> bool:
    """Tell whether a node needs a base backup: there is none of today, or none since a gap."""
    bases = store.whole_bases()
    return store.has_gap or not bases or bases[-1].ended < at - BASE_EVERY


def take_and_prune(node: str, repository: Repository) -> Base:
    """Take a base backup of a node, and forget what nobody needs any more.

    Whoever does so at the same time waits: to one, the other's would be broken off.

    Raises:
        BackupFailed, OSError, psycopg.Error
    """
    with repository.of(node).alone():
        base = take_base(node, repository, at=now())
        prune(repository, node=node, at=now(), days=settings.BACKUP_KEEP_DAYS)
    return base


def _wait_for_receiver(node: str) -> None:
    """Return when the log of a node comes in as far as it goes now."""
    with connect(node) as line:
        lsn, _timeline = one(line, "place")
        wait_until_received(line, lsn, node=node)


class _Marker:
    """Sets marks on all nodes, by lines of its own."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._lines: dict[str, psycopg.Connection] = {}
        self._troubles = _Troubles(node="all")

    def mark(self) -> None:
        """Set a mark and keep it once every node's log has come in so far; try it, at least."""
        try:
            self._set()
        except (BackupFailed, DomainError, psycopg.Error) as error:
            self.hang_up()
            self._troubles.note(error)
        else:
            self._troubles.over()

    def hang_up(self) -> None:
        """Close the lines, and with them whatever they hold back."""
        for line in self._lines.values():
            line.close()
        self._lines.clear()

    def _set(self) -> None:
        for node in registry.nodes():
            if node not in self._lines:
                self._lines[node] = connect(node)
        mark = set_mark(self._lines, clock=now)
        for node, place in mark.places.items():
            wait_until_received(self._lines[node], place.lsn, node=node)
        self._repository.keep_mark(mark)
