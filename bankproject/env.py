"""The bank's configuration: the only module that reads the environment.

A value comes from the environment, else from ``var/run/nodes.json``, which the embedded runtime
writes while its servers run, so that commands beside a running bank find it by themselves.
"""

import json
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import environ
import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

from bankproject.plaintext import refuse_plaintext

PROJECT: Final = Path(__file__).resolve().parent.parent

YES: Final = frozenset({"1", "true", "yes", "on"})
NO: Final = frozenset({"0", "false", "no", "off"})
ENCRYPTED: Final = frozenset({"require", "verify-ca", "verify-full"})


def given(name: str) -> str | None:
    """Return the setting ``name`` of the environment alone; None when unset or empty."""
    # Not Env.str: it takes a value that starts with a dollar for the name of another variable.
    return environ.Env.ENVIRON.get(name) or None


VAR: Final = Path(given("BANK_VAR") or PROJECT / "var").resolve()
NODES_FILE: Final = VAR / "run" / "nodes.json"


@cache
def running_nodes() -> dict[str, str]:
    """Return what the embedded runtime wrote about its servers; empty when none runs here."""
    try:
        found = json.loads(NODES_FILE.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        message = f"{NODES_FILE} cannot be read ({error}); stop the bank and remove the file"
        raise ImproperlyConfigured(message) from error
    return {str(name): str(value) for name, value in found.items()}


def optional(name: str) -> str | None:
    """Return the setting ``name``; None when it is set nowhere."""
    return given(name) or running_nodes().get(name)


def text(name: str, default: str | None = None) -> str:
    """Return the setting ``name``.

    Raises:
        ImproperlyConfigured: it is set nowhere and has no default.
    """
    value = optional(name) or default
    if value is None:
        message = f"{name} is not set and no bank runs under {VAR}; `make run` starts one"
        raise ImproperlyConfigured(message)
    return value


def flag(name: str, *, default: bool) -> bool:
    """Return the yes-or-no setting ``name``.

    Raises:
        ImproperlyConfigured: it is neither.
    """
    value = text(name, "yes" if default else "no").lower()
    if value not in YES | NO:
        message = f"{name} must be 1 or 0, not {value!r}"
        raise ImproperlyConfigured(message)
    return value in YES


def number(name: str, default: int) -> int:
    """Return the whole-number setting ``name``.

    Raises:
        ImproperlyConfigured: its value is no whole number.
    """
    value = text(name, str(default))
    if not (value.isascii() and value.isdigit()):
        message = f"{name} must be a whole number, not {value!r}"
        raise ImproperlyConfigured(message)
    return int(value)


def names(name: str, default: str) -> list[str]:
    """Return the comma-separated setting ``name`` as a list."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def database(name: str) -> dict[str, Any]:
    """Return the Django database settings of the URL in ``name``.

    Raises:
        ImproperlyConfigured: it is no PostgreSQL address, or one beyond this machine without TLS.
    """
    parts = _parts_of(name, text(name))
    hosts = [*str(parts.get("host", "")).split(","), *str(parts.get("hostaddr", "")).split(",")]
    if parts.get("sslmode") not in ENCRYPTED:
        _refuse_plaintext(name, hosts, remedy="add ?sslmode=verify-full")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "OPTIONS": parts,
    }


def _parts_of(name: str, url: str) -> dict[str, Any]:
    """Split a PostgreSQL URL as libpq does. Its complaints are not shown: they quote passwords."""
    parts: dict[str, Any] = {}
    if url.startswith(("postgresql://", "postgres://")):
        with suppress(psycopg.ProgrammingError):
            parts = conninfo_to_dict(url)
    ports = str(parts.get("port", "")).split(",")
    if "dbname" not in parts or not all(port.isdigit() or not port for port in ports):
        message = (
            f"{name} must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
            "with special characters of the password percent-encoded"
        )
        raise ImproperlyConfigured(message)
    return parts


def broker(name: str) -> str:
    """Return the Redis URL in ``name``.

    Raises:
        ImproperlyConfigured: it is no Redis address, or one beyond this machine without TLS.
    """
    url = text(name)
    scheme, host = _address(name, url, {"redis", "rediss"})
    if scheme == "redis":
        _refuse_plaintext(name, [host], remedy="use rediss://")
    return url


def public_address(name: str, default: str) -> str:
    """Return the address in ``name`` under which people reach the bank, without a final slash.

    Raises:
        ImproperlyConfigured: it is no web address, or one beyond this machine without TLS.
    """
    url = text(name, default).rstrip("/")
    scheme, host = _address(name, url, {"http", "https"})
    if scheme == "http":
        _refuse_plaintext(name, [host], remedy="use https://")
    return url


def mail(name: str) -> dict[str, Any]:
    """Return Django's mail settings for the URL in ``name``; empty when it is set nowhere.

    Raises:
        ImproperlyConfigured: it is no mail address of a kind that Django knows.
    """
    url = optional(name)
    if url is None:
        return {}
    _address(name, url, {"smtp", "smtps", "smtp+tls", "smtp+ssl"})
    found: dict[str, Any] = environ.Env.email_url_config(url)
    return found


def _address(name: str, url: str, schemes: set[str]) -> tuple[str, str]:
    """Return scheme and host of ``url``."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        message = f"{name} is not understood: {error}"
        raise ImproperlyConfigured(message) from None
    if parts.scheme not in schemes or not host:
        known = ", ".join(f"{scheme}://" for scheme in sorted(schemes))
        message = f"{name} must start with {known} and name a host"
        raise ImproperlyConfigured(message)
    return parts.scheme, host


def _refuse_plaintext(name: str, hosts: list[str], *, remedy: str) -> None:
    allowed = flag("ALLOW_PLAINTEXT", default=False)
    refuse_plaintext(name=name, hosts=hosts, remedy=remedy, allowed=allowed)
