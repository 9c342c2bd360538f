"""Do every second what money's safety needs, with PostgreSQL alone."""

import signal
import threading
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from types import FrameType
from typing import Any, Final

import structlog
from django.apps import apps
from django.core.management.base import CommandError
from django.db import DatabaseError, close_old_connections, connections
from django.utils.module_loading import module_has_submodule

from core.alive import show_alive
from core.clock import now
from core.db.fitness import UnfitNodeError, refuse_unfit_nodes
from core.management.base import BankCommand

PERIOD_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)

Job = Callable[..., None]


class Command(BankCommand):
    """Run the apps' upkeep until told to stop. It may run twice: the jobs are safe to meet."""

    help = __doc__

    def handle(self, **_options: Any) -> None:
        """Call every job each second."""
        self._stop = threading.Event()
        for ending in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(ending, self._on_signal)
        try:
            refuse_unfit_nodes()
        except UnfitNodeError as error:
            raise CommandError(str(error)) from error
        jobs = upkeep_jobs()
        log.info("watching", jobs=sorted(jobs))
        while not self._stop.is_set():
            run_round(jobs=jobs, at=now())
            show_alive()
            self._stop.wait(PERIOD_SECONDS)

    def _on_signal(self, _signal: int, _frame: FrameType | None) -> None:
        self._stop.set()


def upkeep_jobs() -> dict[str, Job]:
    """Return ``run_upkeep`` of each app that has a module ``upkeep``, by the app's name."""
    return {
        app.name: import_module(f"{app.name}.upkeep").run_upkeep
        for app in apps.get_app_configs()
        if app.module and module_has_submodule(app.module, "upkeep")
    }


def run_round(*, jobs: dict[str, Job], at: datetime) -> None:
    """Call each job once. One that fails is logged, hinders no other, and is called again."""
    for name, job in jobs.items():
        try:
            job(now=at)
        except DatabaseError as error:
            log.warning("upkeep_failed", app=name, error=" ".join(str(error).split()))
            connections.close_all()
        except Exception:
            log.exception("upkeep_failed", app=name)
    close_old_connections()
