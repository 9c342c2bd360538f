"""Work on a database as its owner, who alone may change the schema."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections


@contextmanager
def as_owner(alias: str) -> Iterator[None]:
    """Connect ``alias`` as the owner for the length of the block; no transaction may be open.

    Raises:
        ImproperlyConfigured: the owner's address is not set.
    """
    if alias not in settings.OWNER_DATABASES:
        message = "OWNER_DATABASE_URL is not set; only bank_owner may change the schema"
        raise ImproperlyConfigured(message)
    connection = connections[alias]
    application = connection.settings_dict
    connection.close()
    connection.settings_dict = {
        **application,
        **settings.OWNER_DATABASES[alias],
        "NAME": application["NAME"],
    }
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = application
