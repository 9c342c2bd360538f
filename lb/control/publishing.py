"""The snapshot of what the balancer shall do, for data planes beside the bank and elsewhere."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from lb import snapshot
from lb.control.addresses import is_allowed
from lb.control.models import Backend, BackendState, Balancing
from lb.control.registry import SERVING, backends

_PUBLISHED = (*SERVING, BackendState.DRAINING)


def current_snapshot() -> snapshot.Snapshot:
    """Return what the data planes shall do now.

    A backend whose address is not allowed any more is left out, whatever its state.
    """
    with transaction.atomic():
        # The version first: what is changed after that is at worst published under an older one,
        # and again under its own.
        balancing = Balancing.objects.filter(pk=1).first() or Balancing()
        found = list(backends().filter(state__in=_PUBLISHED))
    return snapshot.Snapshot(
        version=balancing.version,
        backends=tuple(_published(one) for one in found if is_allowed(one.host, one.port)),
        policy=snapshot.Policy(balancing.policy),
        check=health_check(),
        rate_limit=_rate_limit(balancing),
    )


def health_check() -> snapshot.Check:
    """Return the request by which backends are asked whether they are well."""
    return snapshot.Check(host=urlsplit(settings.PUBLIC_URL).netloc)


def write_snapshot_file(found: snapshot.Snapshot, file: Path) -> None:
    """Put a snapshot where a data plane looks for it: whole, or the one before stays."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with draft.open("wb") as stream:
        stream.write(snapshot.write_snapshot(found))
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)


def _rate_limit(balancing: Balancing) -> snapshot.RateLimit | None:
    rate, burst = balancing.requests_per_second, balancing.burst
    if rate is None or burst is None:
        return None
    return snapshot.RateLimit(requests_per_second=rate, burst=burst)


def _published(backend: Backend) -> snapshot.Backend:
    drains = backend.state == BackendState.DRAINING
    return snapshot.Backend(
        name=backend.name,
        host=backend.host,
        port=backend.port,
        weight=backend.weight,
        state=snapshot.State.DRAINING if drains else snapshot.State.READY,
    )
