"""Where addresses are, by an optional file that the bank is given.

Lines of `CIDR,latitude,longitude`, as `203.0.113.0/24,28.61,77.21`; empty ones and those that begin
with `#` are skipped. The narrowest network that holds an address counts.
"""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Final

from django.conf import settings

Network = IPv4Network | IPv6Network
_EARTH_KM: Final = 6_371.0
_COLUMNS: Final = 3
_MOST_LATITUDE: Final = 90
_MOST_LONGITUDE: Final = 180


class BadLocations(Exception):
    """The file of locations cannot be read, for a reason in one line."""


@dataclass(frozen=True, slots=True)
class Place:
    """A point on the earth, in degrees."""

    latitude: float
    longitude: float

    def kilometres_to(self, other: "Place") -> float:
        """Return the distance along a great circle."""
        north, south = radians(self.latitude), radians(other.latitude)
        across = radians(other.longitude - self.longitude)
        chord = sin((south - north) / 2) ** 2 + cos(north) * cos(south) * sin(across / 2) ** 2
        return 2 * _EARTH_KM * asin(min(sqrt(chord), 1.0))


class Locations:
    """The networks of a file, by how narrow they are."""

    def __init__(self, places: dict[Network, Place]) -> None:
        self._places = places
        self._widths = {
            version: sorted(
                {network.prefixlen for network in places if network.version == version},
                reverse=True,
            )
            for version in (4, 6)
        }

    def of(self, address: str | None) -> Place | None:
        """Return where an address is; None when nobody knows."""
        if not address:
            return None
        wanted = ip_address(address)
        for width in self._widths[wanted.version]:
            found = self._places.get(ip_network((wanted, width), strict=False))
            if found is not None:
                return found
        return None


def locations() -> Locations:
    """Return the places of the file that the setting names; of none, when it names none.

    Raises:
        BadLocations
    """
    if settings.BANK_LOCATIONS is None:
        return Locations({})
    path = Path(settings.BANK_LOCATIONS)
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}"
        raise BadLocations(message) from error


@lru_cache(maxsize=1)
def _read(path: Path, _changed: int) -> Locations:
    places = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            try:
                network, place = _parsed(line)
            except ValueError as error:
                message = f"{path}, line {number}: {error}"
                raise BadLocations(message) from error
            places[network] = place
    return Locations(places)


def _parsed(line: str) -> tuple[Network, Place]:
    """Read one line.

    Raises:
        ValueError: it is none.
    """
    columns = line.split(",")
    if len(columns) != _COLUMNS:
        message = "not a network, a latitude and a longitude"
        raise ValueError(message)
    network, latitude, longitude = columns
    place = Place(float(latitude), float(longitude))
    # Comparisons with NaN are false, too.
    if not (abs(place.latitude) <= _MOST_LATITUDE and abs(place.longitude) <= _MOST_LONGITUDE):
        message = "no such point on the earth"
        raise ValueError(message)
    return ip_network(network.strip(), strict=True), place
