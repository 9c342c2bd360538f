"""`manage.py watch`: the upkeep that money's safety needs."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from celery.signals import heartbeat_sent
from django.db import DatabaseError
from pytest_django import Settings

from bankproject.runtime.postgres import BankUrls
from core.alive import show_alive
from core.management.commands.watch import run_round, upkeep_jobs
from tests.functional.runtime.terminal import PROJECT

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


class TestRound:
    def test_calls_every_job_though_others_fail(self) -> None:
        called: list[datetime] = []

        def fails(*, now: datetime) -> None:
            message = f"at {now}"
            raise RuntimeError(message)

        def breaks(*, now: datetime) -> None:
            message = f"at {now}"
            raise DatabaseError(message)

        def works(*, now: datetime) -> None:
            called.append(now)

        run_round(jobs={"fails": fails, "breaks": breaks, "works": works}, at=AT)
        assert called == [AT]

    def test_knows_the_apps_that_have_upkeep(self) -> None:
        assert "transactions" in upkeep_jobs()


class TestWatch:
    def test_ends_well_when_told_to(self, fresh_bank: BankUrls, tmp_path: Path) -> None:
        log = tmp_path / "log"
        with log.open("w") as output:
            alive = tmp_path / "alive"
            watch = subprocess.Popen(
                [sys.executable, "manage.py", "watch"],
                cwd=PROJECT,
                env={**os.environ, "DATABASE_URL": fresh_bank.app, "ALIVE_FILE": str(alive)},
                stdout=output,
                stderr=output,
            )
            deadline = time.monotonic() + 120
            while "watching" not in log.read_text() or not alive.exists():
                assert time.monotonic() < deadline
                assert watch.poll() is None, log.read_text()
                time.sleep(0.05)
            watch.terminate()
            assert watch.wait(10) == 0
        assert "failed" not in log.read_text()


class TestAlive:
    def test_is_shown_by_a_worker_that_has_its_broker(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        settings.ALIVE_FILE = tmp_path / "alive"
        heartbeat_sent.send(sender=None)
        assert settings.ALIVE_FILE.exists()

    def test_that_cannot_be_shown_stops_no_work(self, settings: Settings, tmp_path: Path) -> None:
        for file in (None, tmp_path / "absent" / "alive"):
            settings.ALIVE_FILE = file
            show_alive()
