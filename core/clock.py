"""The bank's only clock. It is read at the edges; everything inside is given the time."""

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """Return the present instant, in UTC."""
    return timezone.now()
