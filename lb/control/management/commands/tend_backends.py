"""Look after the load balancer's backends every second, and tell its data planes what to do."""

import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import Any, Final

import structlog
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections, connections

from core.clock import now
from lb.control.publishing import current_snapshot, write_snapshot_file
from lb.control.tending import Tender

PERIOD_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Run until told to stop. Without its database it changes nothing: the last word holds."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say where a data plane on this machine looks for the snapshot."""
        parser.add_argument("--snapshot", type=Path, help="the file to keep the snapshot in")

    def handle(self, *, snapshot: Path | None, **_options: Any) -> None:
        """Tend and publish each second."""
        self._stop = threading.Event()
        for ending in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(ending, self._on_signal)
        tender = Tender()
        self._published = 0
        while not self._stop.is_set():
            self._round(tender, snapshot)
            self._stop.wait(PERIOD_SECONDS)

    def _round(self, tender: Tender, file: Path | None) -> None:
        try:
            tender.tend(now())
            if file is not None:
                self._publish(file)
        except DatabaseError as error:
            log.warning("tending_failed", error=" ".join(str(error).split()))
            connections.close_all()
        close_old_connections()

    def _publish(self, file: Path) -> None:
        found = current_snapshot()
        if found.version != self._published:
            write_snapshot_file(found, file)
            self._published = found.version
            log.info("snapshot_published", version=found.version, backends=len(found.backends))

    def _on_signal(self, _signal: int, _frame: FrameType | None) -> None:
        self._stop.set()
