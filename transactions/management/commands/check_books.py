"""Prove the books of the whole bank."""

import json
from dataclasses import asdict
from typing import Any

from core import clock
from core.management.base import BankCommand
from transactions.branches.books import check_bank
from transactions.ledger.invariants import CHECKS


class Command(BankCommand):
    """Print as JSON what was looked at and what is wrong; exit 1 when anything is."""

    help = "Prove that the books of all nodes and the replica are right; exit 1 and say where not."

    def handle(self, **_options: Any) -> None:
        """Check each node on one snapshot, then the nodes against each other and the replica."""
        report = check_bank(now=clock.now())
        answer = {"clean": report.is_clean, "checks": list(CHECKS), **asdict(report)}
        self.stdout.write(json.dumps(answer, indent=2))
        if not report.is_clean:
            raise SystemExit(1)
