"""What is asked about backends."""

from collections.abc import Sequence
from typing import Any

from lb.control.models import Backend, BackendEvent, Balancing
from lb.control.registry import SERVING


def current_policy() -> str:
    """Return how the backend of a request is chosen."""
    return str((Balancing.objects.filter(pk=1).first() or Balancing()).policy)


def current_rate_limit() -> tuple[int, int] | None:
    """Return how many requests a second one client may ask, and how many at once."""
    found = Balancing.objects.filter(pk=1).first() or Balancing()
    if found.requests_per_second is None or found.burst is None:
        return None
    return found.requests_per_second, found.burst


def health_of_backends() -> dict[str, str]:
    """Return whether each backend that is given requests is *up* or *down*, by name."""
    found = Backend.objects.filter(state__in=SERVING).values_list("name", "is_up")
    return {name: "up" if is_up else "down" for name, is_up in found}


def events(*, after: Sequence[Any] | None, limit: int) -> list[BackendEvent]:
    """Return changes, the newest first, with backends and people; those after a position."""
    found = BackendEvent.objects.select_related("backend", "actor")
    if after is not None:
        found = found.filter(pk__lt=after[0])
    return list(found[:limit])
