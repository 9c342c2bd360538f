"""Back all nodes up, look at the backups, and restore from them."""

import json
import signal
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser
from django.utils.dateparse import parse_datetime
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from bankproject.backup import keeping, servers
from bankproject.backup.failures import BackupFailed, cannot_write
from bankproject.backup.looking import Backups, look
from bankproject.backup.repository import Repository
from bankproject.backup.restoring import restore_bank, restore_node
from bankproject.backup.sealing import make_key
from core.clock import now
from core.db.aliases import find_all
from core.management.base import BankCommand
from transactions.branches import registry
from transactions.branches.marks import Mark

_EXAMPLE: Final = "2026-11-22T18:30:00+05:30"


class Command(BankCommand):
    """Back all nodes up into BACKUP_FOLDER, look at the backups, and restore from them."""

    help = (
        "configure makes the key that opens backups; keep receives the nodes' logs until told to"
        " stop, and takes a base backup each day; run takes one now; status exits 1 when something"
        " is wrong; restore fills empty folders with all nodes, or with one, at one point of time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Know the actions and what each of them needs."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        configure = actions.add_parser("configure", help="make a key, and the folder's certificate")
        configure.add_argument("--key", type=Path, required=True, help="file to write the key to")
        actions.add_parser("keep", help="receive, seal, mark, and take base backups")
        actions.add_parser("run", help="take a base backup of every node now")
        status = actions.add_parser("status", help="tell how the backups are")
        status.add_argument("--json", action="store_true", help="print JSON")
        restore = actions.add_parser("restore", help="restore all nodes to one point")
        restore.add_argument("target", type=Path, help="folder for the servers' data folders")
        restore.add_argument("--key", type=Path, required=True, help="the key that opens backups")
        restore.add_argument("--time", help=f"not later than this, as {_EXAMPLE}")
        restore.add_argument("--node", help="this one alone: default, MUM, …")

    def handle(self, *, action: str, **options: Any) -> None:
        """Do one of the actions.

        Raises:
            CommandError: it cannot be done, with the reason in one line.
        """
        does: dict[str, Callable[[dict[str, Any]], None]] = {
            "configure": self._configure,
            "keep": self._keep,
            "run": self._run,
            "status": self._status,
            "restore": self._restore,
        }
        try:
            does[action](options)
        except (BackupFailed, OSError) as error:
            raise CommandError(str(error)) from error

    def _configure(self, options: dict[str, Any]) -> None:
        repository = servers.folder()
        try:
            repository.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(repository.folder, error) from error
        make_key(options["key"], repository.certificate)
        self.stdout.write(f"Backups go to {repository.folder}, sealed.")
        self.stdout.write(f"Only {options['key']} opens them: keep it away from this machine.")

    def _keep(self, _options: dict[str, Any]) -> None:
        stop = threading.Event()

        def on_signal(_signal: int, _frame: FrameType | None) -> None:
            stop.set()

        for ending in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(ending, on_signal)
        keeping.keep(servers.configured(), stop=stop)

    def _run(self, _options: dict[str, Any]) -> None:
        repository = servers.configured()
        find_all()
        for node in registry.nodes():
            base = keeping.take_and_prune(node, repository)
            self.stdout.write(f"{node}: base backup {base.name}, {len(base.parts)} parts")

    def _status(self, options: dict[str, Any]) -> None:
        found = look(servers.configured(), at=now())
        if options["json"]:
            self.stdout.write(json.dumps(asdict(found), default=datetime.isoformat))
        else:
            console = Console(highlight=False)
            with console.capture() as shown:
                console.print(_as_table(found))
            self.stdout.write(shown.get(), ending="")
            for sentence in found.wrong:
                self.stdout.write(self.style.ERROR(sentence))
        if found.wrong:
            raise SystemExit(1)

    def _restore(self, options: dict[str, Any]) -> None:
        repository, target, node = servers.folder(), options["target"], options["node"]
        until = _instant(options["time"])
        if node is None:
            mark = _mark(repository, until)
            self.stdout.write(f"All nodes as of {mark.began:%Y-%m-%d %H:%M:%S.%f} UTC")
            folders = restore_bank(
                repository, target, mark=mark, key=options["key"], tell=self.stdout.write
            )
        else:
            mark_of_one = _mark(repository, until) if until else None
            folder = restore_node(
                repository,
                target,
                node=node,
                mark=mark_of_one,
                key=options["key"],
                tell=self.stdout.write,
            )
            folders = [folder]
            if mark_of_one:
                warning = "The other nodes have gone on: look at it, but let the bank not use it."
                self.stdout.write(self.style.WARNING(warning))
        for each in folders:
            self.stdout.write(f"Start a server in {each}; it replays the log first.")


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        message = f"--time must have a date, a time and an offset, as {_EXAMPLE}, not {text}"
        raise BackupFailed(message)
    return found.astimezone(UTC)


def _mark(repository: Repository, until: datetime | None) -> Mark:
    mark = repository.last_mark(until=until)
    if mark is None:
        early = " so early" if until else ""
        message = f"{repository.folder} has no point to restore all nodes to{early}"
        raise BackupFailed(message)
    return mark


def _as_table(found: Backups) -> Table:
    point = f"{found.mark_at:%Y-%m-%d %H:%M:%S} UTC" if found.mark_at else "none"
    # In 80 columns a day and its time share one, and nothing is cut off.
    table = Table(
        *(Column("Node", no_wrap=True), "Base backup", Column("Sealed log", no_wrap=True)),
        *(Column(name, no_wrap=True) for name in ("Comes in", "Behind", "Size")),
        title=f"All nodes can be restored to {point}",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    for node in found.nodes:
        table.add_row(
            node.node,
            f"{node.base_at:%Y-%m-%d %H:%M}" if node.base_at else "none",
            node.sealed_segment or "none",
            {True: "yes", False: "no", None: "?"}[node.is_received],
            "?" if node.behind_bytes is None else f"{node.behind_bytes:,} B",
            f"{node.bytes >> 20} MB",
        )
    return table
