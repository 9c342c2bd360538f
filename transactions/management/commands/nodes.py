"""Show how the bank's nodes are."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from django.core.management.base import CommandParser
from django.db import DatabaseError
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from accounts.models import Branch
from core.clock import now
from core.management.base import BankCommand
from transactions.branches.alarms import Alarm, alarms
from transactions.branches.health import Health, look_at_nodes

MEGABYTE: Final = 1024 * 1024


class Command(BankCommand):
    """Ask every node and show a table, or with --json what programs read."""

    help = "Show each node's state, release, schema, lag of its copy, prepared transactions, sweep."

    def add_arguments(self, parser: CommandParser) -> None:
        """Know the form for programs."""
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *, json: bool, **_options: Any) -> None:
        """Show the nodes; one that is down is shown so and keeps nobody waiting."""
        names = _names()
        nodes, alarming = _look()
        if json:
            self.stdout.write(_as_json(nodes, alarming, names))
            return
        console = Console()
        with console.capture() as shown:
            console.print(_table(nodes, names, at=now()))
            for node in nodes:
                if node.reason:
                    console.print(f"[red]{node.code} is down:[/] {escape(node.reason)}")
            for alarm in alarming:
                console.print(f"[red]{alarm.event} {alarm.node}:[/] {escape(alarm.detail)}")
        self.stdout.write(shown.get(), ending="")


def _names() -> dict[str, str]:
    """Return the branches' names by code; none while the head office is down."""
    try:
        return dict(Branch.objects.values_list("code", "name"))
    except DatabaseError:
        return {}


def _look() -> tuple[list[Health], list[Alarm]]:
    """Look at the nodes and for alarms at once: each waits for those that are silent."""
    with ThreadPoolExecutor(1) as beside:
        alarming = beside.submit(alarms)
        return look_at_nodes(), alarming.result()


def _as_json(nodes: list[Health], alarming: list[Alarm], names: dict[str, str]) -> str:
    found = [{**asdict(node), "name": names.get(node.code, node.code)} for node in nodes]
    answer = {"nodes": found, "alarms": [asdict(alarm) for alarm in alarming]}
    return json.dumps(answer, default=str, indent=2)


def _table(nodes: list[Health], names: dict[str, str], *, at: datetime) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0))
    for heading in ("Node", "State", "Version", "Schema"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Lag s", "2PC", "Age s", "Slots", "WAL MB", "Swept s"):
        table.add_column(heading, justify="right", no_wrap=True)
    for node in nodes:
        table.add_row(
            f"{node.code} {escape(names.get(node.code, ''))}",
            "[green]up[/]" if node.is_up else "[red]down[/]",
            node.version or "",
            node.schema or "",
            _seconds(node.lag_seconds),
            _count(node.prepared),
            _seconds(node.oldest_prepared_seconds),
            _of(node.prepared_slots_used, node.prepared_slots_max),
            "" if node.retained_wal_bytes is None else f"{node.retained_wal_bytes / MEGABYTE:.0f}",
            "" if node.swept_at is None else _seconds((at - node.swept_at).total_seconds()),
        )
    return table


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _megabytes(value: int | None) -> str:
    return "" if value is None else f"{value / MEGABYTE:.0f}"


def _count(value: int | None) -> str:
    return "" if value is None else str(value)


def _of(used: int | None, most: int | None) -> str:
    return "" if used is None else f"{used}/{most}"
