"""PostgreSQL addresses as people write them, and as Django's settings hold them."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

from core.plaintext import refuse_plaintext

ENCRYPTED: Final = frozenset({"require", "verify-ca", "verify-full"})
# Whoever asks a node that is cut off learns it soon; the address may say otherwise.
CONNECT_SECONDS: Final = "3"
# Who waits longer for a lock is told that the bank is busy, before its own caller gives up and
# leaves it waiting, with the locks that it has already.
# The ledger's queries are planned once for all values: their conditions that may be missing would
# be planned anew by every call, at ten times what they cost.
SESSION: Final = "-c lock_timeout=5s -c plan_cache_mode=force_generic_plan"
# Prepared are the statements that ask for it. Without any threshold psycopg prepares none at all.
PREPARE_THRESHOLD: Final = 1_000_000


def database_settings(url: str, *, name: str, allow_plaintext: bool) -> dict[str, Any]:
    """Return the Django database settings of ``url``, which people know as ``name``.

    Raises:
        ImproperlyConfigured: it is no PostgreSQL address, or one beyond this machine without TLS.
    """
    parts = _parts_of(url, name=name)
    hosts = [*str(parts.get("host", "")).split(","), *str(parts.get("hostaddr", "")).split(",")]
    if parts.get("sslmode") not in ENCRYPTED:
        remedy = "add ?sslmode=verify-full"
        refuse_plaintext(name=name, hosts=hosts, remedy=remedy, allowed=allow_plaintext)
    if "," in str(parts.get("host", "")):
        # Of a server and its standbys, whichever takes writes just now.
        parts.setdefault("target_session_attrs", "read-write")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "OPTIONS": {
            "connect_timeout": CONNECT_SECONDS,
            "options": SESSION,
            "prepare_threshold": PREPARE_THRESHOLD,
            **parts,
        },
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }


def places_of(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return host and port of each server that Django's database settings name, in their order.

    Several are a server and its standbys.
    """
    hosts, ports = str(settings["HOST"]).split(","), str(settings["PORT"]).split(",")
    return list(zip(hosts, ports * len(hosts) if len(ports) == 1 else ports, strict=True))


def _parts_of(url: str, *, name: str) -> dict[str, Any]:
    """Split a PostgreSQL URL as libpq does. Its complaints are not shown: they quote passwords."""
    parts: dict[str, Any] = {}
    if url.startswith(("postgresql://", "postgres://")):
        with suppress(psycopg.ProgrammingError):
            parts = conninfo_to_dict(url)
    hosts, ports = (str(parts.get(name, "")).split(",") for name in ("host", "port"))
    is_paired = len(ports) in {1, len(hosts)} and all(port.isdigit() or not port for port in ports)
    if "dbname" not in parts or not is_paired:
        message = (
            f"{name} must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
            "with special characters of the password percent-encoded"
        )
        raise ImproperlyConfigured(message)
    return parts
