"""Settle transfers between nodes that are in doubt."""

import json
from dataclasses import asdict
from typing import Any

from core.management.base import BankCommand
from transactions.branches.recovery import sweep


class Command(BankCommand):
    """Print as JSON what was committed, rolled back and left; exit 1 when something is left."""

    help = "Settle at once what `manage.py watch` settles each second; exit 1 if something is left."

    def handle(self, **_options: Any) -> None:
        """Sweep all nodes, whatever the age of what is in doubt."""
        swept = sweep(older_than=0)
        self.stdout.write(json.dumps(asdict(swept), indent=2))
        if swept.left:
            raise SystemExit(1)
