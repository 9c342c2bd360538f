"""Work on a database as its owner, who alone may change the schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from core.db.aliases import HEAD_OFFICE


@contextmanager
def as_owner(alias: str) -> Iterator[None]:
    """Connect ``alias`` as the owner for the length of the block; no transaction may be open.

    Raises:
        ImproperlyConfigured: the owner's address is not set.
    """
    connection = connections[alias]
    application = connection.settings_dict
    owner = {**application, **_owner_of(alias), "NAME": application["NAME"]}
    connection.close()
    connection.settings_dict = owner
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = application


def _owner_of(alias: str) -> dict[str, Any]:
    """Return how the owner connects: the head office has an address, other nodes only the name."""
    if settings.OWNER_DATABASE is None:
        message = "OWNER_DATABASE_URL is not set; only bank_owner may change the schema"
        raise ImproperlyConfigured(message)
    if alias == HEAD_OFFICE:
        return {**settings.OWNER_DATABASE}
    return {part: settings.OWNER_DATABASE[part] for part in ("USER", "PASSWORD")}
