"""What brings backends on their way: health, heartbeats, and time."""

import socket
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from lb.control.addresses import is_allowed
from lb.control.models import Backend, BackendState
from lb.control.publishing import health_check
from lb.control.registry import LEAVING, Change, advance, backends, leave, note_health
from lb.data.standing import Health
from lb.snapshot import Check, Deadlines

SILENT_AFTER: Final = timedelta(seconds=10)
WARM_AFTER: Final = timedelta(seconds=5)
"""As long as the data planes take to give a new backend its whole share."""
DRAINED_AFTER: Final = timedelta(seconds=Deadlines().drain_seconds)
_AT_ONCE: Final = 32
_WELL: Final = (b"HTTP/1.1 200 ", b"HTTP/1.0 200 ")
_LONGEST_STATUS: Final = 512


class Tender:
    """Looks after all backends, round by round. Two of them do no harm."""

    def __init__(self) -> None:
        self._check = health_check()
        self._health: dict[UUID, Health] = {}

    def tend(self, now: datetime) -> None:
        """Look at every backend once, and move those on that are due."""
        found = [one for one in backends() if _may_stay(one, now)]
        answers = self._ask([one for one in found if one.state not in LEAVING])
        self._health = {one.pk: self._health_of(one) for one in found}
        for backend in found:
            if backend.pk in answers:
                self._note(backend, well=answers[backend.pk], now=now)
            state = _due(backend, now)
            if state is not None:
                advance(backend.pk, state, by=Change(now=now))

    def _ask(self, asked: Sequence[Backend]) -> Mapping[UUID, bool]:
        if not asked:
            return {}
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as several:
            well = several.map(lambda one: is_well(one.host, one.port, self._check), asked)
            return dict(zip([one.pk for one in asked], well, strict=True))

    def _health_of(self, backend: Backend) -> Health:
        known = self._health.get(backend.pk)
        return known or Health(self._check, is_up=bool(backend.is_up))

    def _note(self, backend: Backend, *, well: bool, now: datetime) -> None:
        turned = self._health[backend.pk].checked(well=well)
        if turned:
            backend.is_up = well
            note_health(backend.pk, is_up=well, by=Change(now=now))


def is_well(host: str, port: int, check: Check) -> bool:
    """Ask a backend whether it is well. Its address must still be allowed when it is connected to.

    Only the first line of the answer is read, and the whole takes no longer than the check may.
    """
    if not is_allowed(host, port):
        return False
    deadline = time.monotonic() + check.timeout_seconds
    request = f"GET {check.path} HTTP/1.1\r\nHost: {check.host}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((host, port), timeout=check.timeout_seconds) as connection:
            connection.sendall(request.encode("ascii"))
            return _first_line(connection, deadline).startswith(_WELL)
    except OSError:
        return False


def _first_line(connection: socket.socket, deadline: float) -> bytes:
    found = b""
    while b"\r\n" not in found and len(found) < _LONGEST_STATUS:
        left = deadline - time.monotonic()
        if left <= 0:
            return b""
        connection.settimeout(left)
        part = connection.recv(_LONGEST_STATUS)
        if not part:
            break
        found += part
    return found


def _may_stay(backend: Backend, now: datetime) -> bool:
    """Tell whether a backend is still allowed and heard of; one that is not is sent off."""
    if backend.state in LEAVING:
        return True
    heard = backend.heartbeat_at
    if not is_allowed(backend.host, backend.port):
        reason = "its address is not allowed any more"
    elif heard is not None and heard + SILENT_AFTER < now:
        reason = "it sent no heartbeat"
    else:
        return True
    leave(backend.pk, by=Change(now=now, reason=reason))
    return False


def _due(backend: Backend, now: datetime) -> BackendState | None:
    """Return the state that a backend goes to now, if any."""
    age = now - backend.state_since
    if backend.state == BackendState.REGISTERED:
        return BackendState.CHECKING
    if backend.state == BackendState.CHECKING:
        return BackendState.WARMING if backend.is_up else None
    if backend.state == BackendState.WARMING:
        return BackendState.READY if age >= WARM_AFTER else None
    if backend.state == BackendState.DRAINING:
        return BackendState.REMOVED if age >= DRAINED_AFTER else None
    return None
