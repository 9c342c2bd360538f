"""The doctor's visit: every check, each for itself."""

from collections.abc import Iterator, Mapping
from typing import Final

from django.db import DatabaseError

from bankproject.doctor import (
    backups,
    certificates,
    configuration,
    copies,
    machine,
    nodes,
    standbys,
)
from bankproject.doctor.findings import Check, Finding, danger

CHECKS: Final[Mapping[str, Check]] = {
    "secrets": configuration.secrets,
    "former keys": configuration.former_keys,
    "addresses": configuration.addresses,
    "openness": configuration.openness,
    "Django's advice": configuration.django_advice,
    "nodes": nodes.nodes,
    "standbys": standbys.standbys,
    "two-phase commit": copies.two_phase_commit,
    "replica": copies.replica,
    "backups": backups.backups,
    "certificates": certificates.certificates,
    "disk": machine.disk,
    "static files": machine.static_files,
    "broker": machine.broker,
    "background work": machine.background,
}


def examine() -> Iterator[tuple[str, list[Finding]]]:
    """Yield each check's name and what it found. One that cannot be made is a finding itself."""
    for name, check in CHECKS.items():
        try:
            found = list(check())
        except (DatabaseError, OSError) as error:
            found = [danger(name, f"cannot be looked at: {' '.join(str(error).split())}")]
        yield name, found
