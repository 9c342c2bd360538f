"""How a worker of the bank's own is in the registry: it registers itself, beats, and drains."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog
from django.db import DatabaseError, close_old_connections, connections

from core.db.patience import patient_for
from core.errors import DomainError
from lb.control.figures import versions_obeyed
from lb.control.models import Backend
from lb.control.registry import (
    BackendRequest,
    Change,
    LastBackend,
    backends,
    beat,
    current_version,
    drain_backend,
    join,
    leave,
)

BEAT_SECONDS: Final = 3.0
TURN_SECONDS: Final = 20.0
"""So long a worker that ends waits for another one to serve."""
OBEYED_SECONDS: Final = 5.0
"""So long it waits for the data planes to give it nothing more."""
_LOOK_SECONDS: Final = 0.1
_TURN_LOOK_SECONDS: Final = 0.5
_PATIENCE_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)
Clock = Callable[[], datetime]


class Membership:
    """A worker's place in the registry, for as long as the worker lives."""

    def __init__(self, *, name: str, host: str, port: int) -> None:
        self._asked = BackendRequest(name=name, host=host, port=port, heartbeat=True)
        self._ends = threading.Event()
        self._turn = threading.Lock()

    def keep(self, clock: Clock) -> None:
        """Register, and beat until the end. Without the database, or drained, it tries again."""
        while not self._ends.is_set():
            with self._turn:
                self._say_that_it_is_there(clock)
            close_old_connections()
            self._ends.wait(BEAT_SECONDS)

    def renew(self, *, now: datetime) -> None:
        """Say once that the worker is there.

        Raises:
            BackendAddressRefused, BackendExists, TooManyBackends
        """
        backend = join(self._asked, by=Change(now=now))
        beat(backend.pk, now=now)

    def end(self, clock: Clock) -> None:
        """Drain in turn, and return when no data plane sends anything more.

        Of several that end at once each waits until another serves. Where no data plane is left
        to hear of it, nobody waits. Never fails: a worker that cannot say so ends all the same.
        """
        self._ends.set()
        with self._turn:
            try:
                with patient_for(_PATIENCE_SECONDS):
                    self._drain(clock)
                    _wait_until_obeyed(current_version())
            except (DatabaseError, DomainError) as error:
                log.warning("backend_not_drained", error=" ".join(str(error).split()))

    def _say_that_it_is_there(self, clock: Clock) -> None:
        if self._ends.is_set():
            return
        try:
            with patient_for(_PATIENCE_SECONDS):
                self.renew(now=clock())
        except (DatabaseError, DomainError) as error:
            log.warning("backend_not_registered", error=" ".join(str(error).split()))
            connections.close_all()

    def _drain(self, clock: Clock) -> None:
        until = time.monotonic() + TURN_SECONDS
        while (backend := self._known()) is not None:
            by = Change(now=clock(), reason="it ends")
            if time.monotonic() > until or not versions_obeyed():
                leave(backend.pk, by=by)
                return
            try:
                drain_backend(backend.pk, by=by)
            except LastBackend:
                # Who waits for another is still there, or silence would end it.
                beat(backend.pk, now=clock())
                time.sleep(_TURN_LOOK_SECONDS)
            else:
                return

    def _known(self) -> Backend | None:
        asked = self._asked
        place = {"name": asked.name, "host": asked.host, "port": asked.port}
        return backends().filter(**place).first()


def _wait_until_obeyed(version: int) -> None:
    until = time.monotonic() + OBEYED_SECONDS
    while any(one < version for one in versions_obeyed()) and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
