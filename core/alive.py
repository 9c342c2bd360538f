"""How a process without an address shows that it goes on: it touches a file as it works."""

from contextlib import suppress

from django.conf import settings


def show_alive(**_signal: object) -> None:
    """Touch ALIVE_FILE, where there is one. That it cannot be touched stops no work."""
    if settings.ALIVE_FILE:
        with suppress(OSError):
            settings.ALIVE_FILE.touch()
