"""Which addresses the bank calls because somebody gave them to it: webhooks, backends.

An address is checked when it is given and again when it is called, since what its name stands for
may change in between. The caller then connects to the very IP address that was checked.

Refused are all but public unicast addresses, by the registries of special-purpose addresses (IANA)
and not by ``ipaddress.is_global``, which differs between releases of Python. IPv6 addresses that
carry an IPv4 address are refused whole. ``ALLOW_PRIVATE_ADDRESSES`` lets private networks and this
machine pass, for tests and demos; link-local addresses, where clouds keep secrets, never pass.
"""

import re
import socket
import threading
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, NoReturn
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import DomainError

LONGEST: Final = 2_000
LOOK_UP_SECONDS: Final = 3.0

_CHARACTERS: Final = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+", re.ASCII)
_PLACE: Final = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:@]+)(?::([0-9]{1,5}))?", re.ASCII)
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
# What resolvers read as a number, such as 2130706433 or 0x7f.1.
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_PORTS: Final = {"https": 443, "http": 80}
_FIRST_FREE_PORT: Final = 1_024
_LAST_PORT: Final = 65_535
_seats: Final = threading.BoundedSemaphore(64)

_SPECIAL_4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_PRIVATE_4: Final = tuple(
    IPv4Network(network)
    for network in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
    )
)
_PUBLIC_6: Final = IPv6Network("2000::/3")
# Protocol assignments with Teredo, documentation, 6to4, documentation.
_SPECIAL_6: Final = tuple(
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_PRIVATE_6: Final = tuple(IPv6Network(network) for network in ("::1/128", "fc00::/7"))


class AddressRefused(DomainError):
    """The bank does not call this address; ``code`` says why."""

    code = "address_refused"


class HostUnknown(AddressRefused):
    """Nobody knows the name of the host just now."""

    code = "address_host_unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingAddress:
    """An address that may be called as far as its text goes. ``place`` is host and port."""

    url: str
    scheme: str
    host: str
    port: int
    place: str


def check_address(url: str) -> None:
    """Check an address that somebody gives the bank, down to the IP addresses of its host.

    Raises:
        AddressRefused: the bank does not call it, with the reason.
    """
    ip_addresses_of(read_address(url))


def read_address(url: str) -> OutgoingAddress:
    """Read an address, and look at its text alone.

    Raises:
        AddressRefused: the bank does not call it, with the reason.
    """
    if len(url) > LONGEST:
        _refuse("invalid", f"An address has at most {LONGEST} characters.")
    if not _CHARACTERS.fullmatch(url):
        _refuse("invalid", "This is no address: write it in ASCII, other letters encoded.")
    try:
        parts = urlsplit(url)
    except ValueError:
        _refuse("invalid", "This is no address.")
    place = parts.netloc.lower()
    _check_scheme(parts.scheme)
    if "@" in place:
        _refuse("has_user", "An address names no user and no password.")
    if "#" in url:
        _refuse("invalid", "An address to be called has no fragment.")
    found = _PLACE.fullmatch(place)
    if found is None:
        _refuse("invalid", "After https:// stands a host, and a port if need be.")
    host, port = found[1], int(found[2] or _PORTS[parts.scheme])
    _check_host(host)
    _check_port(port, parts.scheme)
    return OutgoingAddress(
        url=url, scheme=parts.scheme, host=host.strip("[]"), port=port, place=place
    )


def ip_addresses_of(address: OutgoingAddress, *, seconds: float = LOOK_UP_SECONDS) -> list[str]:
    """Return the IP addresses of an address's host; the bank may call each of them.

    Raises:
        HostUnknown: nobody knows the name, or not within ``seconds``.
        AddressRefused: one of them is none to be called.
    """
    found = _looked_up(address, seconds)
    for one in found:
        if not may_be_called(one, private=settings.ALLOW_PRIVATE_ADDRESSES):
            message = _("The address leads into a network that is not public.")
            _refuse("not_public", message)
    return found


def _check_scheme(scheme: str) -> None:
    if scheme == "https" or (scheme == "http" and settings.ALLOW_PLAINTEXT):
        return
    _refuse("not_https", "An address begins with https://.")


def _check_host(host: str) -> None:
    if host.startswith("["):
        try:
            IPv6Address(host.strip("[]"))
        except ValueError:
            _refuse("invalid", "In brackets stands an IPv6 address.")
        return
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            IPv4Address(host)
        except ValueError:
            message = _("Write an IPv4 address as four decimal numbers.")
            _refuse("invalid", message)
    elif not all(_LABEL.fullmatch(label) for label in labels) or len(host) > 253:  # noqa: PLR2004  # RFC 1035
        _refuse("invalid", "This is no name of a host.")


def _check_port(port: int, scheme: str) -> None:
    """Let pass the scheme's own port and those that no service of the system has."""
    if port != _PORTS[scheme] and port not in range(_FIRST_FREE_PORT, _LAST_PORT + 1):
        message = _("A port is %(usual)s, or %(first)s to %(last)s.") % {
            "usual": _PORTS[scheme],
            "first": _FIRST_FREE_PORT,
            "last": _LAST_PORT,
        }
        _refuse("port_refused", message)


def _looked_up(address: OutgoingAddress, seconds: float) -> list[str]:
    """Ask the system's resolver, in a thread of its own: it knows no deadline."""
    found: list[str] = []

    def look_up() -> None:
        try:
            answers = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(answer[4][0]) for answer in answers))
        except (OSError, UnicodeError):
            return
        finally:
            _seats.release()

    # Names that nobody answers for must not pile up threads.
    if _seats.acquire(timeout=seconds):
        thread = threading.Thread(target=look_up, name="look up", daemon=True)
        thread.start()
        thread.join(seconds)
    if not found:
        message = _("There is no host %(host)s.") % {"host": address.host}
        raise HostUnknown(message, field="url")
    return list(found)


def may_be_called(text: str, *, private: bool) -> bool:
    """Tell whether an IP address is a public one, or one of a private network where that may be."""
    address = ip_address(text)
    if isinstance(address, IPv4Address):
        is_special = any(address in network for network in _SPECIAL_4)
        return not is_special or (private and any(address in network for network in _PRIVATE_4))
    is_public = address in _PUBLIC_6 and not any(address in network for network in _SPECIAL_6)
    return is_public or (private and any(address in network for network in _PRIVATE_6))


def _refuse(reason: str, message: str) -> NoReturn:
    raise AddressRefused(message, field="url", code=f"address_{reason}") from None
