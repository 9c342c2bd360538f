"""The bank's configuration: the only module that reads the environment.

A value comes from the environment, else from ``var/run/nodes.json``, which the embedded runtime
writes while its servers run, so that commands beside a running bank find it by themselves.
"""

import ipaddress
import json
import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from core.db.addresses import database_settings, places_of
from core.db.aliases import refuse_bad_code
from core.plaintext import refuse_plaintext

PROJECT: Final = Path(__file__).resolve().parent.parent

YES: Final = frozenset({"1", "true", "yes", "on"})
NO: Final = frozenset({"0", "false", "no", "off"})
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_LAST_PORT: Final = 65_535


def given(name: str, *, may_be_empty: bool = False) -> str | None:
    """Return the setting ``name`` of the environment alone; None when unset or empty.

    A secret may stand in a file instead, which ``name`` with ``_FILE`` behind it names.

    Raises:
        ImproperlyConfigured: both are set, or the file has no text though it may not be empty.
    """
    # Not Env.str: it takes a value that starts with a dollar for the name of another variable.
    value = environ.Env.ENVIRON.get(name) or None
    file = environ.Env.ENVIRON.get(f"{name}_FILE")
    if not file:
        return value
    if value is not None:
        message = f"{name} and {name}_FILE are both set; unset one of them"
        raise ImproperlyConfigured(message)
    found = _text_of(f"{name}_FILE", Path(file))
    if not (found or may_be_empty):
        message = f"{name}_FILE names {file}, which is empty"
        raise ImproperlyConfigured(message)
    return found or None


def _text_of(name: str, file: Path) -> str:
    """Return what a file says, without the line's end that editors write."""
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        message = f"{name} names {file}, which cannot be read: {reason}"
        raise ImproperlyConfigured(message) from None


# Where data, logs and secrets of a bank on this machine live.
VAR: Final = Path(given("BANK_VAR") or PROJECT / "var").resolve()
NODES_FILE: Final = VAR / "run" / "nodes.json"


@cache
def running_nodes() -> dict[str, str]:
    """Return what the embedded runtime wrote about its servers; empty when none runs here."""
    try:
        found = json.loads(NODES_FILE.read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in found.items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, AttributeError) as error:
        reason = getattr(error, "strerror", None) or "it is damaged"
        message = f"{NODES_FILE} cannot be read: {reason}; stop the bank and remove the file"
        raise ImproperlyConfigured(message) from error


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


def needed_number(name: str, meaning: str) -> int:
    """Return the whole-number setting ``name``, which must be given.

    Raises:
        ImproperlyConfigured: it is not, or is no whole number.
    """
    if optional(name) is None:
        message = f"{name} must be set: {meaning}"
        raise ImproperlyConfigured(message)
    return number(name, 0)


def names(name: str, default: str) -> list[str]:
    """Return the comma-separated setting ``name`` as a list; a file of it may be empty."""
    found = given(name, may_be_empty=True) or running_nodes().get(name) or default
    return [part.strip() for part in found.split(",") if part.strip()]


def database(name: str) -> dict[str, Any]:
    """Return the Django database settings of the URL in ``name``.

    Raises:
        ImproperlyConfigured: it is no PostgreSQL address, or one beyond this machine without TLS.
    """
    return _database(name, text(name))


def digest_of(name: str) -> str:
    """Return a short name for the database of the URL in ``name``, the same wherever it is asked.

    Raises:
        ImproperlyConfigured: the database is no PostgreSQL address.
    """
    settings = database(name)
    place = ":".join(str(settings.get(part, "")) for part in ("HOST", "PORT", "NAME"))
    return sha256(place.encode()).hexdigest()[:12]


def branch_databases(name: str) -> dict[str, dict[str, Any]]:
    """Return the Django database settings of each branch in ``name``, by the branch's code.

    Raises:
        ImproperlyConfigured: it is not understood, gives two branches one database, or one beyond
            this machine without TLS.
    """
    urls = branch_urls(name)
    found = {code: _database(f"{name} of {code}", url) for code, url in urls.items()}
    _refuse_shared_database(name, found)
    return found


def branch_urls(name: str) -> dict[str, str]:
    """Return the address of each branch's database in ``name``, by the branch's code.

    It reads ``MUM=postgresql://…,DEL=postgresql://…``; unset, there are no branches.

    Raises:
        ImproperlyConfigured: it is not understood, or names a branch twice.
    """
    found: dict[str, str] = {}
    # A URL may have commas between hosts, which no "CODE=" follows.
    for part in re.split(r",(?=[^=,/:?@]*(?:=|,|$))", optional(name) or ""):
        if part.strip():
            code, url = _branch_url(name, part.strip())
            if code in found:
                message = f"{name} names branch {code} twice"
                raise ImproperlyConfigured(message)
            found[code] = url
    return found


def _branch_url(name: str, part: str) -> tuple[str, str]:
    code, equals, url = part.partition("=")
    if not equals or "/" in code:
        message = f"{name} must be CODE=postgresql://…, one for each branch, separated by commas"
        raise ImproperlyConfigured(message)
    try:
        refuse_bad_code(code)
    except ValueError as error:
        message = f"{name}: {error}"
        raise ImproperlyConfigured(message) from None
    return code, url


def _refuse_shared_database(name: str, branches: dict[str, dict[str, Any]]) -> None:
    owners: dict[tuple[str, ...], str] = {}
    for code, settings in branches.items():
        for place in places_of(settings):
            other = owners.setdefault((*place, settings["NAME"]), code)
            if other != code:
                message = f"{name} gives {other} and {code} the same database"
                raise ImproperlyConfigured(message)


def _database(name: str, url: str) -> dict[str, Any]:
    allowed = flag("ALLOW_PLAINTEXT", default=False)
    return database_settings(url, name=name, allow_plaintext=allowed)


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


def own_address(name: str, default: str) -> str:
    """Return the address of this machine in ``name``, to listen on.

    Raises:
        ImproperlyConfigured: it is no IP address, or one that others reach and TLS does not guard.
    """
    host = text(name, default)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        message = f"{name} must be an IP address of this machine, not {host!r}"
        raise ImproperlyConfigured(message) from None
    _refuse_plaintext(name, [host], remedy="serve it on 127.0.0.1 behind a proxy with TLS")
    return host


def networks(name: str) -> list[tuple[Network, range]]:
    """Return the networks in ``name``, each with the ports that are meant of it; none when unset.

    It reads ``10.0.0.0/8:8000-8999,[fd00::/8]:8000``.

    Raises:
        ImproperlyConfigured: it is not understood.
    """
    return [_network(name, part) for part in names(name, "")]


def _network(name: str, part: str) -> tuple[Network, range]:
    place, _colon, ports = part.rpartition(":")
    first, _dash, last = ports.partition("-")
    try:
        network = ipaddress.ip_network(place.strip("[]"))
        found = range(int(first), int(last or first) + 1)
    except ValueError as error:
        message = f"{name} must be networks with ports, as 10.0.0.0/8:8000-8999: {error}"
        raise ImproperlyConfigured(message) from None
    if not found or found[0] < 1 or found[-1] > _LAST_PORT:
        message = f"{name} must name ports from 1 to {_LAST_PORT}, not {ports!r}"
        raise ImproperlyConfigured(message)
    return network, found


def file(name: str) -> Path | None:
    """Return the path in ``name``; None when it is set nowhere."""
    found = optional(name)
    return Path(found) if found else None


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
