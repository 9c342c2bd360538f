"""Jobs are done once, whatever becomes of workers, and tell how far they are."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from core.clock import now
from core.jobs import declaring, queue
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
