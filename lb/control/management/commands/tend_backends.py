"""Look after the load balancer's backends every second, and tell its data planes what to do."""

import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from core.management.base import BankCommand
from lb.control.rounds import Rounds


class Command(BankCommand):
    """Run until told to stop. Without its database it changes nothing: the last word holds."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say where a data plane on this machine looks for the snapshot."""
        parser.add_argument("--snapshot", type=Path, help="the file to keep the snapshot in")

    def handle(self, *, snapshot: Path | None, **_options: Any) -> None:
        """Make rounds."""
        stop = threading.Event()
        for ending in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(ending, lambda *_signal: stop.set())
        Rounds(snapshot).go_on(stop)
