"""How a worker of the bank's own is in the registry: it registers itself, and beats."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections

from core.errors import DomainError
from lb.control.registry import BackendRequest, Change, backends, beat, join, leave

BEAT_SECONDS: Final = 3.0
OBEYED_SECONDS: Final = 2.5
"""After this the data planes know that a backend drains: it is published and read each second."""

log = structlog.get_logger(__name__)


class Membership:
    """A worker's place in the registry."""

    def __init__(self, *, name: str, host: str, port: int) -> None:
        self._asked = BackendRequest(name=name, host=host, port=port, heartbeat=True)

    def keep(self, clock: Callable[[], datetime]) -> None:
        """Register, and beat for ever. Without the database, or drained, it tries again."""
        while True:
            try:
                self.renew(now=clock())
            except (DatabaseError, DomainError) as error:
                log.warning("backend_not_registered", error=" ".join(str(error).split()))
                connections.close_all()
            close_old_connections()
            time.sleep(BEAT_SECONDS)

    def renew(self, *, now: datetime) -> None:
        """Say once that the worker is there.

        Raises:
            BackendAddressRefused, BackendExists, TooManyBackends
        """
        backend = join(self._asked, by=Change(now=now))
        beat(backend.pk, now=now)


def leave_by_name(name: str, *, now: datetime) -> None:
    """Let a worker go that ends, and give the data planes the time to hear of it.

    Never fails: a worker that cannot say so ends all the same.
    """
    try:
        found = backends().filter(name=name).first()
        if found is not None:
            leave(found.pk, by=Change(now=now, reason="it ends"))
    except DatabaseError as error:
        log.warning("backend_not_drained", error=" ".join(str(error).split()))
        return
    if settings.BALANCER_METRICS:
        time.sleep(OBEYED_SECONDS)
