"""Prove the books of every node."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from transactions.branches.registry import nodes
from transactions.ledger.invariants import CHECKS, check_books


class Command(BaseCommand):
    """Print as JSON what was looked at and what is wrong; exit 1 when anything is."""

    help = "Prove that the books of every node are right; exit 1 and name the account if not."

    def handle(self, **_options: Any) -> None:
        """Check one node after the other, each on one snapshot."""
        reports = [check_books(using=alias) for alias in nodes()]
        clean = not any(report.findings for report in reports)
        answer = {
            "clean": clean,
            "checks": list(CHECKS),
            "nodes": [asdict(report) for report in reports],
        }
        self.stdout.write(json.dumps(answer, indent=2))
        if not clean:
            raise SystemExit(1)
