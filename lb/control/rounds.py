"""What is done for the balancer each second: look after the backends, publish, and note."""

import threading
from pathlib import Path
from typing import Final

import structlog
from django.db import DatabaseError, close_old_connections, connections

from core.clock import now
from lb.control.history import Notes
from lb.control.publishing import current_snapshot, write_snapshot_file
from lb.control.tending import Tender

PERIOD_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class Rounds:
    """Rounds of one process; others may make theirs. Without a database the last word holds."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._tender = Tender()
        self._notes = Notes()
        self._published = 0

    def go_on(self, stop: threading.Event) -> None:
        """Make a round each second until told to stop."""
        while not stop.is_set():
            self._round()
            close_old_connections()
            stop.wait(PERIOD_SECONDS)

    def _round(self) -> None:
        try:
            self._tender.tend(now())
            if self._file is not None:
                self._publish(self._file)
            self._notes.note(now())
        except DatabaseError as error:
            log.warning("tending_failed", error=" ".join(str(error).split()))
            connections.close_all()

    def _publish(self, file: Path) -> None:
        """Publish what is new, unless it names nobody: then those before are asked on."""
        found = current_snapshot()
        if found.version == self._published or (not found.backends and file.exists()):
            return
        write_snapshot_file(found, file)
        self._published = found.version
        log.info("snapshot_published", version=found.version, backends=len(found.backends))
