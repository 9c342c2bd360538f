"""When sessions and API keys were last used, to the hour: no request waits to tell more exactly."""

from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from django.db.models import Q

from accounts.known import SILENCE
from accounts.models import ApiKey, Session

_EVERY: Final = timedelta(hours=1)
_MOST_IN_MEMORY: Final = 20_000
_noted: Final[dict[str, float]] = {}


def note_used(model: type[ApiKey | Session], pk: str, *, now: datetime) -> None:
    """Note that something is used just now; this process writes it once an hour."""
    if monotonic() < _noted.get(pk, 0.0):
        return
    if len(_noted) > _MOST_IN_MEMORY:
        _noted.clear()
    _noted[pk] = monotonic() + _EVERY.total_seconds()
    is_old = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - _EVERY)
    try:
        model._default_manager.filter(is_old, pk=pk).update(last_used_at=now)  # noqa: SLF001  # Django's public interface
    except SILENCE:
        # It does not matter enough to wait for.
        return
