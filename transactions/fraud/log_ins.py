"""The rule over log-ins: people who are far apart within too short a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import Any, Final

from transactions.fraud import bounds
from transactions.fraud.findings import Finding, Rule
from transactions.fraud.locations import Place

# What one provider gives to one town: an address changes within it all the time.
_NEIGHBOURS: Final = {4: 16, 6: 32}
_HOUR: Final = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenLogIn:
    """A log-in that succeeded; ``place`` is None where nobody knows it."""

    id: int
    person: int
    at: datetime
    address: str | None
    device: str
    place: Place | None


def improbable_travel(log_in: SeenLogIn, earlier: Sequence[SeenLogIn]) -> Finding | None:
    """Find that somebody logged in from where they cannot be; ``earlier`` are theirs, newest first.

    Judged by the distance where both places are known, else by the device.
    """
    placed = next((one for one in earlier if one.place is not None), None)
    if log_in.place is not None and placed is not None:
        return _too_fast(log_in, placed)
    return _strange_device(log_in, earlier)


def _too_fast(log_in: SeenLogIn, last: SeenLogIn) -> Finding | None:
    if log_in.place is None or last.place is None:
        return None
    km = log_in.place.kilometres_to(last.place)
    seconds = (log_in.at - last.at).total_seconds()
    if km < bounds.LEAST_KM or km * _HOUR < bounds.FASTEST_KMH * seconds:
        return None
    return _finding(log_in, last, km=round(km))


def _strange_device(log_in: SeenLogIn, earlier: Sequence[SeenLogIn]) -> Finding | None:
    """Find a device never used before, elsewhere, while a known one was in use."""
    if len(earlier) < bounds.DEVICES_KNOWN_AFTER:
        return None
    known = {one.device for one in earlier}
    last = earlier[0]
    is_near = log_in.at - last.at <= bounds.DEVICES_WINDOW
    if not is_near or log_in.device in known or _are_neighbours(log_in.address, last.address):
        return None
    return _finding(log_in, last)


def _are_neighbours(one: str | None, other: str | None) -> bool:
    """Tell whether two addresses may be of one place; those that nobody knows are."""
    if not one or not other:
        return True
    network = ip_network(one)
    around = network.supernet(new_prefix=_NEIGHBOURS[network.version])
    found = ip_network(other)
    return found.version == around.version and found.network_address in around


def _finding(log_in: SeenLogIn, last: SeenLogIn, **more: Any) -> Finding:
    return Finding(
        rule=Rule.TRAVEL,
        at=log_in.at,
        person=log_in.person,
        once_for=f"log-in {log_in.id}",
        facts={
            "device": log_in.device,
            "device_before": last.device,
            "minutes": round((log_in.at - last.at).total_seconds() / 60),
            **more,
        },
    )
