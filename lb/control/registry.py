"""The registry of backends: who is in it, and how each comes and goes.

registered → checking → warming → ready → draining → removed. Every change is made in a transaction
that holds the one row of ``Balancing`` locked, makes a new version, and is noted with who made it.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.errors import DomainError
from lb.control.addresses import check_backend_address
from lb.control.models import Backend, BackendEvent, BackendState, Balancing, Policy

MOST_BACKENDS: Final = 256
SERVING: Final = (BackendState.WARMING, BackendState.READY)
"""States in which a backend is given new requests."""
LEAVING: Final = (BackendState.DRAINING, BackendState.REMOVED)
NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_NEXT: Final[Mapping[str, tuple[str, ...]]] = {
    BackendState.REGISTERED: (BackendState.CHECKING, BackendState.REMOVED),
    BackendState.CHECKING: (BackendState.WARMING, BackendState.REMOVED),
    BackendState.WARMING: (BackendState.READY, BackendState.DRAINING),
    BackendState.READY: (BackendState.DRAINING,),
    BackendState.DRAINING: (BackendState.REMOVED,),
    BackendState.REMOVED: (),
}


class UnknownBackend(DomainError):
    """There is no such backend, or it is removed."""

    code = "unknown_backend"
    http_status = 404


class BackendExists(DomainError):
    """Another backend has this name or address."""

    code = "backend_exists"
    http_status = 409


class TooManyBackends(DomainError):
    """There are as many backends as there may be."""

    code = "too_many_backends"
    http_status = 409


class InvalidBackendName(DomainError):
    """The data planes cannot write this name."""

    code = "invalid_backend_name"


class BackendLeaving(DomainError):
    """The backend drains: it registers anew if it wants to stay."""

    code = "backend_leaving"
    http_status = 409


class LastBackend(DomainError):
    """Without this backend nobody would answer."""

    code = "last_backend"
    http_status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendRequest:
    """A backend to be. One with ``heartbeat`` tells every few seconds that it is there."""

    name: str
    host: str
    port: int
    weight: int = 100
    zone: str = ""
    heartbeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """By whom a change is made, when, and why. None is the bank itself."""

    now: datetime
    actor: int | None = None
    reason: str = ""


def backends() -> QuerySet[Backend]:
    """Return the backends that are not removed, by name."""
    return Backend.objects.exclude(state=BackendState.REMOVED)


def current_version() -> int:
    """Return the version that the last change made."""
    return int((Balancing.objects.filter(pk=1).first() or Balancing()).version)


def backend_of(backend_id: UUID) -> Backend:
    """Return a backend.

    Raises:
        UnknownBackend
    """
    return _known(backends().filter(pk=backend_id).first())


def register_backend(asked: BackendRequest, *, by: Change) -> Backend:
    """Add a backend; it is checked before it gets requests. Opens a transaction.

    One that drains under the same name or address makes room at once.

    Raises:
        InvalidBackendName, BackendAddressRefused, BackendExists, TooManyBackends
    """
    if not re.fullmatch(NAME, asked.name, re.ASCII):
        message = _("A name has up to 64 letters, digits, dots and dashes.")
        raise InvalidBackendName(message, field="name")
    host = check_backend_address(asked.host, asked.port)
    with _changing() as balancing:
        for former in _in_the_way(asked.name, host, asked.port):
            if former.state != BackendState.DRAINING:
                message = _("Another backend has this name or address.")
                raise BackendExists(message)
            _move(former, BackendState.REMOVED, balancing, by)
        if backends().count() >= MOST_BACKENDS:
            message = _("There are %(most)s backends; drain one first.") % {"most": MOST_BACKENDS}
            raise TooManyBackends(message)
        backend = Backend.objects.create(
            name=asked.name,
            host=host,
            port=asked.port,
            weight=asked.weight,
            zone=asked.zone,
            state_since=by.now,
            heartbeat_at=by.now if asked.heartbeat else None,
            registered_at=by.now,
        )
        given = {"place": backend.place, "weight": backend.weight, "zone": backend.zone}
        new = {name: [None, value] for name, value in given.items() if value}
        _note(backend, {"state": [None, backend.state], **new}, balancing, by)
    return backend


def join(asked: BackendRequest, *, by: Change) -> Backend:
    """Return the backend of this name and address that stays; registered, when there is none.

    Raises:
        InvalidBackendName, BackendAddressRefused, BackendExists, TooManyBackends
    """
    place = {"name": asked.name, "host": asked.host, "port": asked.port}
    found = backends().filter(**place).exclude(state=BackendState.DRAINING).first()
    return found or register_backend(asked, by=by)


def change_backend(
    backend_id: UUID, *, weight: int | None = None, zone: str | None = None, by: Change
) -> Backend:
    """Change what share a backend gets, or where it stands. Opens a transaction.

    Raises:
        UnknownBackend
        BackendLeaving: it drains.
    """
    with _changing() as balancing:
        backend = _staying(backend_id)
        asked = {"weight": weight, "zone": zone}
        changes = {
            name: [getattr(backend, name), value]
            for name, value in asked.items()
            if value is not None and value != getattr(backend, name)
        }
        if changes:
            for name, (_was, value) in changes.items():
                setattr(backend, name, value)
            backend.save(update_fields=list(changes))
            _note(backend, changes, balancing, by)
    return backend


def drain_backend(backend_id: UUID, *, by: Change) -> Backend:
    """Give a backend no new requests; it is removed once its last ones had time to end.

    Opens a transaction. One that drains already goes on.

    Raises:
        UnknownBackend
        LastBackend: no other one is given requests.
    """
    with _changing() as balancing:
        backend = backend_of(backend_id)
        if backend.state in SERVING and not _others_serve(backend):
            message = _("No other backend takes requests; add one before you drain this one.")
            raise LastBackend(message)
        if backend.state not in LEAVING:
            _leave(backend, balancing, by)
    return backend


def leave(backend_id: UUID, *, by: Change) -> None:
    """Let a backend go that says itself that it ends, even the last. Opens a transaction."""
    with _changing() as balancing:
        backend = backends().filter(pk=backend_id).first()
        if backend is not None and backend.state not in LEAVING:
            _leave(backend, balancing, by)


def beat(backend_id: UUID, *, now: datetime) -> Backend:
    """Note that a backend is there.

    Raises:
        UnknownBackend
        BackendLeaving: it drains, perhaps for its silence: it registers anew.
    """
    backend = _staying(backend_id)
    found = Backend.objects.filter(pk=backend_id).exclude(state__in=LEAVING)
    if not found.update(heartbeat_at=now):
        raise _leaving()
    backend.heartbeat_at = now
    return backend


def choose_policy(policy: Policy, *, by: Change) -> None:
    """Choose how the backend of a request is chosen. Opens a transaction."""
    with _changing() as balancing:
        if balancing.policy != policy:
            was, balancing.policy = balancing.policy, policy
            _note(None, {"policy": [was, policy.value]}, balancing, by)


def limit_clients(requests_per_second: int | None, burst: int | None, *, by: Change) -> None:
    """Say how much one client may ask of the data planes; None for both lifts the limit.

    Opens a transaction.
    """
    asked = {"requests_per_second": requests_per_second, "burst": burst}
    with _changing() as balancing:
        changes = {
            name: [getattr(balancing, name), value]
            for name, value in asked.items()
            if value != getattr(balancing, name)
        }
        if changes:
            for name, value in asked.items():
                setattr(balancing, name, value)
            _note(None, changes, balancing, by)


def advance(backend_id: UUID, state: BackendState, *, by: Change) -> bool:
    """Move a backend one state on; False when it is not where that is the next one.

    Opens a transaction.
    """
    with _changing() as balancing:
        backend = backends().filter(pk=backend_id).first()
        if backend is None or state not in _NEXT[backend.state]:
            return False
        _move(backend, state, balancing, by)
    return True


def note_health(backend_id: UUID, *, is_up: bool, by: Change) -> None:
    """Note that a backend's health turned. Opens a transaction."""
    with _changing() as balancing:
        backend = backends().filter(pk=backend_id).first()
        if backend is not None and backend.is_up != is_up:
            was, backend.is_up = backend.is_up, is_up
            backend.save(update_fields=["is_up"])
            _note(backend, {"is_up": [was, is_up]}, balancing, by)


@contextmanager
def _changing() -> Iterator[Balancing]:
    """Hold the one row that every change locks, so that versions follow each other."""
    with transaction.atomic():
        Balancing.objects.bulk_create([Balancing(pk=1)], ignore_conflicts=True)
        yield Balancing.objects.select_for_update().get()


def _note(
    backend: Backend | None, changes: Mapping[str, Any], balancing: Balancing, by: Change
) -> None:
    """Make the change a version of its own."""
    balancing.version += 1
    balancing.save()
    BackendEvent.objects.create(
        version=balancing.version,
        at=by.now,
        backend=backend,
        changes=dict(changes),
        reason=by.reason,
        actor_id=by.actor,
    )


def _move(backend: Backend, state: BackendState, balancing: Balancing, by: Change) -> None:
    was, backend.state, backend.state_since = backend.state, state, by.now
    backend.save(update_fields=["state", "state_since"])
    _note(backend, {"state": [was, state.value]}, balancing, by)


def _leave(backend: Backend, balancing: Balancing, by: Change) -> None:
    """Drain what was given requests; what never was is removed."""
    state = BackendState.DRAINING if backend.state in SERVING else BackendState.REMOVED
    _move(backend, state, balancing, by)


def _others_serve(backend: Backend) -> bool:
    return Backend.objects.filter(state__in=SERVING).exclude(pk=backend.pk).exists()


def _in_the_way(name: str, host: str, port: int) -> list[Backend]:
    return [one for one in backends() if one.name == name or (one.host, one.port) == (host, port)]


def _staying(backend_id: UUID) -> Backend:
    backend = backend_of(backend_id)
    if backend.state in LEAVING:
        raise _leaving()
    return backend


def _leaving() -> BackendLeaving:
    message = _("This backend drains; register it anew.")
    return BackendLeaving(message)


def _known(backend: Backend | None) -> Backend:
    if backend is None:
        message = _("There is no such backend.")
        raise UnknownBackend(message)
    return backend
