"""A node and its standbys as one cluster, which Patroni leads: its members, and how each is set up.

The members are the servers of the node's address. ``deploy/failover/patroni.yml`` is what they have
in common.
"""

from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from django.db import connections

from core.db.addresses import places_of

TEMPLATE: Final = Path(__file__).parents[1] / "deploy" / "failover" / "patroni.yml"
# With a single standby nothing would go on without it; then it is waited for while it is there.
MEMBERS_TO_BE_STRICT: Final = 3


class NoCluster(Exception):
    """A node is no cluster as Patroni leads one, for a reason in one line."""


@dataclass(frozen=True, slots=True)
class Member:
    """A server of a node: its name for Patroni, also of its slot, and where it listens."""

    name: str
    host: str
    port: str

    @property
    def place(self) -> str:
        """Return host and port as people write them."""
        return f"{self.host}:{self.port}"


def members_of(alias: str) -> list[Member]:
    """Return the servers of a node in the order of its address; a node without standbys has one."""
    return [
        Member(f"{alias.lower()}_{number}", host, port or "5432")
        for number, (host, port) in enumerate(places_of(connections[alias].settings_dict), start=1)
    ]


def patroni_configuration(alias: str, *, number: int) -> str:
    """Return the configuration of a node's member, counted from 1.

    Raises:
        NoCluster: the node's address names one server only, or not so many.
    """
    members = members_of(alias)
    if len(members) == 1:
        message = f"the address of {alias} names one server: give it as host-1,host-2"
        raise NoCluster(message)
    if number not in range(1, len(members) + 1):
        message = f"{alias} has the members 1 to {len(members)}, not {number}"
        raise NoCluster(message)
    member = members.pop(number - 1)
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        scope=alias.lower(),
        name=member.name,
        host=member.host,
        port=member.port,
        strict="true" if len(members) + 1 >= MEMBERS_TO_BE_STRICT else "false",
        standbys=",".join(other.name for other in members),
    )
