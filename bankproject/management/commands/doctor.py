"""Look whether a deployment is well."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from bankproject.doctor.examination import examine
from bankproject.doctor.findings import Finding, Level
from core.management.base import BankCommand


class Command(BankCommand):
    """Say what is wrong with settings, databases, copies, certificates and machine."""

    help = (
        "Check this deployment and explain each finding in a sentence; it changes nothing. Exits 1"
        " when one is a danger."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Know the form for programs."""
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *, json: bool, **_options: Any) -> None:
        """Make every check, and tell as they are made."""
        everything: list[Finding] = []
        for name, found in examine():
            everything += found
            if not json:
                self._tell(name, found)
        if json:
            self.stdout.write(_as_json(everything))
        if any(one.level == Level.DANGER for one in everything):
            sys.exit(1)

    def _tell(self, name: str, found: list[Finding]) -> None:
        if not found:
            self.stdout.write(f"{self.style.SUCCESS('fine   ')}  {name}")
        for one in found:
            style = self.style.ERROR if one.level == Level.DANGER else self.style.WARNING
            self.stdout.write(f"{style(f'{one.level:<7}')}  {one.about} {one.sentence}")


def _as_json(found: list[Finding]) -> str:
    return json.dumps({"findings": [asdict(one) for one in found]})
