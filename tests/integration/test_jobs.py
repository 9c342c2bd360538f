"""Jobs are done once, whatever becomes of workers, and tell how far they are."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from pytest_django import Settings

from bankproject.celery import app
from bankproject.runtime.ports import first_free
from bankproject.scheduler import BankScheduler
from core.clock import now
from core.jobs import declaring, queue, state
from core.jobs.declaring import Declared, Work, job
from core.jobs.models import Job, JobQueue, JobState
from core.jobs.running import run_due


class Trouble(Exception):
    """What the job of these tests may meet."""


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what the job of these tests did, which is known to workers meanwhile."""
    monkeypatch.setattr(declaring, "_declared", {})
    found: list[Any] = []
    return found


@pytest.fixture
def count_coins(done: list[Any]) -> Declared:
    @job(queue=JobQueue.LONG)
    def count_coins(work: Work, *, coins: int, fail: bool = False) -> None:
        work.progress(coins // 2, coins)
        if fail:
            message = "a coin\nis missing"
            raise Trouble(message)
        done.append(coins)

    return count_coins


def only() -> Job:
    return Job.objects.get()


def make_due() -> None:
    Job.objects.update(next_attempt_at=now() - timedelta(seconds=1))


@pytest.mark.django_db
class TestAJob:
    def test_is_queued_once_a_key(self, count_coins: Declared, done: list[Any]) -> None:
        assert count_coins.ask(key="2026-10", now=now(), coins=4)
        assert not count_coins.ask(key="2026-10", now=now(), coins=5)
        assert count_coins.ask(key="2026-11", now=now(), coins=6)
        assert run_due("long", seconds=5) == 2
        assert done == [4, 6]
        assert run_due("long", seconds=5) == 0
        assert not count_coins.ask(key="2026-10", now=now(), coins=7)
        assert {(one.state, one.done, one.total) for one in Job.objects.all()} == {
            ("done", 4, 4),
            ("done", 6, 6),
        }

    def test_is_queued_with_the_callers_transaction_only(self, count_coins: Declared) -> None:
        with transaction.atomic():
            count_coins.ask(key="1", now=now(), coins=4)
            transaction.set_rollback(True)
        assert not Job.objects.exists()

    def test_leaves_other_queues_alone(self, count_coins: Declared, done: list[Any]) -> None:
        count_coins.ask(key="1", now=now(), coins=4)
        assert run_due("normal", seconds=5) == 0
        assert done == []

    def test_that_fails_is_tried_again_later_and_is_dead_in_the_end(
        self, count_coins: Declared
    ) -> None:
        count_coins.ask(key="1", now=now(), coins=4, fail=True)
        for tries in range(1, queue.MOST_TRIES + 1):
            assert only().state == JobState.QUEUED
            assert run_due("long", seconds=5) == 1
            assert only().tries == tries
            assert only().failure == "Trouble: a coin is missing"
            assert run_due("long", seconds=5) == 0
            if tries < queue.MOST_TRIES:
                wait = only().next_attempt_at - now()
                assert wait > queue.DELAYS[tries - 1] / 2
            make_due()
        assert only().state == JobState.DEAD
        assert (only().done, only().total) == (2, 4)

    def test_that_is_dead_is_tried_again_when_an_admin_says_so(
        self, count_coins: Declared, done: list[Any]
    ) -> None:
        count_coins.ask(key="1", now=now(), coins=4)
        Job.objects.update(state=JobState.DEAD, tries=queue.MOST_TRIES, failure="it was Monday")
        assert queue.retry_dead(Job.objects.all(), now=now()) == 1
        assert queue.retry_dead(Job.objects.all(), now=now()) == 0
        assert run_due("long", seconds=5) == 1
        assert (done, only().state, only().failure) == ([4], "done", "")

    def test_whose_worker_was_killed_comes_again(
        self, count_coins: Declared, done: list[Any]
    ) -> None:
        count_coins.ask(key="1", now=now(), coins=4)
        assert queue.claim("long", now=now()) is not None
        assert run_due("long", seconds=5) == 0
        make_due()
        assert run_due("long", seconds=5) == 1
        assert (done, only().tries) == ([4], 2)

    def test_that_kills_its_worker_each_time_is_dead_in_the_end(
        self, count_coins: Declared, done: list[Any]
    ) -> None:
        count_coins.ask(key="1", now=now(), coins=4)
        for _each in range(queue.MOST_TRIES):
            queue.claim("long", now=now())
            make_due()
        assert run_due("long", seconds=5) == 1
        assert (done, only().state) == ([], "dead")
        assert queue.KILLED in only().failure

    def test_that_nobody_knows_waits_for_a_version_that_does(self, count_coins: Declared) -> None:
        count_coins.ask(key="1", now=now(), coins=4)
        Job.objects.update(name="count_stars")
        run_due("long", seconds=5)
        assert (only().state, only().failure) == (
            "queued",
            "LookupError: nothing here is called count_stars",
        )


@pytest.mark.django_db
class TestAWorkerThatWasTooSlow:
    def test_learns_that_another_has_its_job_and_spoils_nothing(
        self, count_coins: Declared
    ) -> None:
        count_coins.ask(key="1", now=now(), coins=4)
        slow = queue.claim("long", now=now())
        make_due()
        fast = queue.claim("long", now=now())
        assert slow is not None
        assert fast is not None
        with pytest.raises(queue.JobTakenByAnother):
            queue.go_on(slow, done=1, total=4, now=now())
        queue.fail(slow, "too slow", now=now())
        assert (only().state, only().failure) == ("running", "")
        queue.go_on(fast, done=3, total=4, now=now())
        queue.end(fast, now=now())
        queue.fail(slow, "too slow", now=now())
        assert (only().state, only().done) == ("done", 4)


@pytest.mark.django_db
class TestTheCommand:
    @pytest.fixture(autouse=True)
    def _wait_for_no_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(state, "WORKERS_SECONDS", 0.01)

    def told(self, *arguments: str) -> tuple[int, str]:
        out = StringIO()
        try:
            call_command("jobs", *arguments, stdout=out)
        except SystemExit as end:
            return int(str(end.code)), out.getvalue()
        return 0, out.getvalue()

    def test_shows_what_is_queued_runs_and_has_failed_for_good(self, count_coins: Declared) -> None:
        assert self.told()[0] == 0
        for key in ("queued", "running", "dead", "late"):
            count_coins.ask(key=key, now=now(), coins=4)
        later = Job.objects.filter(key="queued")
        later.update(next_attempt_at=now() + timedelta(hours=1))
        assert self.told()[0] == 0
        Job.objects.filter(key="late").update(next_attempt_at=now() - timedelta(minutes=9))
        Job.objects.filter(key="dead").update(state=JobState.DEAD, failure="it was Monday")
        Job.objects.filter(key="running").update(state=JobState.RUNNING, done=2, total=4)
        code, text = self.told()
        assert code == 1
        for line in (
            "running   count_coins running, 2 of 4",
            "dead      count_coins dead",
            "it was Monday",
            "overdue   count_coins late",
            "queued    count_coins queued",
        ):
            assert line in text
        assert json.loads(self.told("--json")[1])["overdue"] == ["count_coins late"]

    def test_shows_what_beat_should_have_woken(self) -> None:
        every = IntervalSchedule.objects.create(every=2, period="seconds")
        PeriodicTask.objects.create(name="send_mails", task="send", interval=every)
        assert self.told()[0] == 0
        PeriodicTask.objects.update(last_run_at=now() - timedelta(minutes=6))
        code, text = self.told()
        assert (code, "overdue   send_mails" in text) == (1, True)

    def test_says_when_the_broker_is_gone(self, settings: Settings) -> None:
        settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{first_free(32_500)}/0"
        code, text = self.told()
        assert (code, "broker    does not answer" in text) == (1, True)


@pytest.mark.usefixtures("fresh_bank")
class TestTheTimeTable:
    def test_keeps_what_an_admin_changed_over_a_start_of_beat(self) -> None:
        def start() -> BankScheduler:
            return BankScheduler(app=app, lazy=False)

        start()
        names = set(PeriodicTask.objects.values_list("name", flat=True))
        assert names >= {*app.conf.beat_schedule, "celery.backend_cleanup"}
        mails = PeriodicTask.objects.get(name="send_mails")
        assert (mails.queue, mails.interval.every, mails.expire_seconds) == ("urgent", 2, 4)
        nightly = PeriodicTask.objects.get(name="forget_messages").crontab
        assert (nightly.hour, str(nightly.timezone)) == ("3", "UTC")
        PeriodicTask.objects.filter(name="send_mails").update(enabled=False)
        PeriodicTask.objects.filter(name="run_jobs").delete()
        second = start()
        assert not PeriodicTask.objects.get(name="send_mails").enabled
        assert "send_mails" not in second.schedule
        assert "run_jobs" in second.schedule

    def test_shows_that_beat_goes_on(self, settings: Settings, tmp_path: Path) -> None:
        settings.ALIVE_FILE = tmp_path / "alive"
        BankScheduler(app=app, lazy=False)
        PeriodicTask.objects.update(enabled=False)
        BankScheduler(app=app, lazy=False).tick()
        assert settings.ALIVE_FILE.exists()

    def test_wakes_what_was_missed_at_once(self) -> None:
        BankScheduler(app=app, lazy=False)
        days = PeriodicTask.objects.filter(name__startswith="forget")
        days.update(last_run_at=now() - timedelta(days=2))
        entries = BankScheduler(app=app, lazy=False).schedule
        assert all(entries[name].is_due().is_due for name in days.values_list("name", flat=True))
