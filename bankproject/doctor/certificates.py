"""How many days certificates have left, and whether those who call would believe them."""

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connections

from bankproject.doctor.findings import Findings, danger, warning
from core.clock import now
from core.db.addresses import places_of
from core.db.aliases import REPLICA, find_all, primaries

SECONDS: Final = 3.0
# Certificates of 90 days are renewed when 30 are left.
FEW_DAYS: Final = 21
LAST_DAYS: Final = 7
_VERIFIED: Final = frozenset({"verify-ca", "verify-full"})
_ENCRYPTED: Final = _VERIFIED | {"require"}
# How PostgreSQL is asked to go on in TLS: a length, and a number for a version.
_PLEASE_TLS: Final = bytes.fromhex("00000008 04d2162f")

Greeting = Callable[[socket.socket], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a certificate is shown, and by whom it must be signed; None: by a known authority."""

    about: str
    host: str
    port: int
    authorities: str | None = None
    checks_name: bool = True


def certificates() -> Findings:
    """Look at the certificates of the public address, of the broker and of all databases."""
    public, broker = urlsplit(settings.PUBLIC_URL), urlsplit(settings.REDIS_URL)
    if public.scheme == "https":
        host = public.hostname or ""
        yield from of_place(Place(about="PUBLIC_URL", host=host, port=public.port or 443))
    if broker.scheme == "rediss":
        yield from of_place(_broker(broker.hostname or "", broker.port or 6379, broker.query))
    find_all()
    for alias in [*primaries(), *([REPLICA] if REPLICA in connections else [])]:
        yield from of_database(alias)


def of_place(place: Place, greet: Greeting = lambda _connection: None) -> Findings:
    """Look at the certificate that is shown at a place."""
    try:
        ends = _end_of(place, greet)
    except ssl.SSLCertVerificationError as error:
        yield danger(place.about, f"shows a certificate nobody believes: {error.verify_message}")
    except OSError as error:
        yield warning(place.about, f"shows no certificate: {error}")
    else:
        yield from few_days(place.about, ends, at=now())


def few_days(about: str, ends: datetime, *, at: datetime) -> Findings:
    """Tell of a certificate that ends soon."""
    days = (ends - at).days
    if days < FEW_DAYS:
        say = danger if days < LAST_DAYS else warning
        yield say(about, f"has a certificate for {days} more days; renew it")


def _end_of(place: Place, greet: Greeting) -> datetime:
    """Return when a certificate ends; it is believed.

    Raises:
        SSLCertVerificationError: it is not.
        OSError: there is none.
    """
    context = ssl.create_default_context(cafile=place.authorities)
    context.check_hostname = place.checks_name
    with socket.create_connection((place.host, place.port), timeout=SECONDS) as plain:
        greet(plain)
        with context.wrap_socket(plain, server_hostname=place.host) as secure:
            shown: Any = secure.getpeercert()
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC)


def of_database(alias: str) -> Findings:
    """Look at the certificate of each server of a node that is reached by TLS."""
    node = connections[alias].settings_dict
    mode = node["OPTIONS"].get("sslmode")
    if mode not in _ENCRYPTED:
        return
    if mode not in _VERIFIED:
        yield warning(alias, f"is reached with sslmode={mode}, which any server may answer")
        return
    authorities = node["OPTIONS"].get("sslrootcert")
    places = [(host, int(port or 5432)) for host, port in places_of(node)]
    for host, port in places:
        place = Place(
            about=alias if len(places) == 1 else f"{alias} at {host}:{port}",
            host=host,
            port=port,
            authorities=None if authorities == "system" else authorities,
            checks_name=mode == "verify-full",
        )
        yield from of_place(place, ask_postgres)


def ask_postgres(connection: socket.socket) -> None:
    """Ask a PostgreSQL server to go on in TLS. Raises OSError when it has none."""
    connection.sendall(_PLEASE_TLS)
    if connection.recv(1) != b"S":
        message = "the server has no TLS"
        raise OSError(message)


def _broker(host: str, port: int, query: str) -> Place:
    words = dict(part.partition("=")[::2] for part in query.split("&") if part)
    return Place(about="REDIS_URL", host=host, port=port, authorities=words.get("ssl_ca_certs"))
