"""Mails to a server that refuses and hangs up, by workers that are killed: none is missing.

People are told of things; two beats wake the workers, which are killed with SIGKILL and started
again, and the broker is flushed now and then. The mail server refuses for now, hangs up before it
has taken a mail or after, and says nothing. Afterwards each notice has come to its person, under
one Message-ID; one that came twice says in its log why that could be.

``SEED=…`` repeats the dice, ``FULL=1`` runs ten minutes. ``BREAK=lease`` lets a worker forget what
it has taken when it is killed: then mails get lost, and this proof must fail.
"""

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any, Final

import psycopg
from aiosmtpd.controller import Controller
from redis import Redis

from bankproject.runtime.ports import first_free
from tests.proofs._bank import PROJECT, own_bank
from tests.proofs._outcome import conclude
from tests.proofs.webhooks import Crew, Outcome, own_broker

SECONDS_TO_SETTLE: Final = 120
_WAITING: Final = "SELECT count(*) FROM notifications_message WHERE state = 'waiting'"
# Those of which nobody can know whether they came, by their own logs.
_DOUBTFUL: Final = """
SELECT DISTINCT message_id::text FROM notifications_messageattempt
WHERE failure IN ('interrupted', 'no_answer')
"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long, how many, and with which dice."""

    seconds: float
    notices: int
    kills: int
    copies: int
    seed: int
    broken: str = ""


@dataclass
class Post:
    """A mail server that does badly now and then, and knows what it took."""

    dice: random.Random
    taken: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        """Take a mail, or do not; say so, or do not."""
        with self.lock:
            fate = self.dice.random()
        if fate < 0.15:
            return self._counted("refused", "451 later")
        if fate < 0.22:
            server.transport.abort()
            return self._counted("lost", "421 bye")
        mail = message_from_bytes(envelope.content)
        with self.lock:
            self.taken[str(mail["Message-ID"]).strip("<>").partition("@")[0]] += 1
        if fate < 0.27:
            # Longer than the bank waits: it was taken all the same.
            await asyncio.sleep(4)
            return self._counted("taken_without_a_word", "250 OK")
        return self._counted("taken", "250 OK")

    def _counted(self, what: str, answer: str) -> str:
        with self.lock:
            self.counts[what] += 1
        return answer


def prove(plan: Plan, bank: Mapping[str, str]) -> Outcome:
    """Tell, kill, start again, wait until all mails have left, and compare.

    ``bank`` is the environment in which programs find an empty bank.
    """
    dice = random.Random(plan.seed)
    post = Post(dice=random.Random(plan.seed + 1))
    with own_broker() as broker, _serving(post) as port, tempfile.TemporaryDirectory() as folder:
        environment = {
            **bank,
            "REDIS_URL": broker,
            "EMAIL_URL": f"smtp://127.0.0.1:{port}",
            "BREAK": plan.broken,
        }
        crew = Crew(
            environment=environment,
            folder=Path(folder),
            names=("worker", "beat"),
            app="tests.proofs._notification_celery",
        )
        work = _begin_work(plan, environment)
        try:
            crew.start(plan.copies)
            _disturb(crew, plan, dice, Redis.from_url(broker))
            if work.wait() != 0:
                return Outcome(counts={}, failures=["the work did not come to an end"])
            _wait_until_settled(bank["DATABASE_URL"])
        finally:
            work.kill()
            work.wait()
            crew.end()
    return _judge(plan, bank["DATABASE_URL"], post, crew)


@contextmanager
def _serving(post: Post) -> Iterator[int]:
    controller = Controller(post, hostname="127.0.0.1", port=first_free(33_000))
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def _begin_work(plan: Plan, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    words = (str(plan.notices), str(plan.seconds))
    return subprocess.Popen(
        [sys.executable, "-m", "tests.proofs._notification_work", *words],
        env=dict(environment),
        cwd=PROJECT,
    )


def _disturb(crew: Crew, plan: Plan, dice: random.Random, broker: "Redis") -> None:
    """Kill processes and flush the broker, by turns."""
    started = time.monotonic()
    for turn in range(plan.kills):
        at = plan.seconds * (turn + dice.uniform(0.5, 1.0)) / plan.kills
        time.sleep(max(started + at - time.monotonic(), 0.0))
        crew.kill_one(dice)
        if turn % 3 == 0:
            broker.flushall()


def _wait_until_settled(url: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_SETTLE
    while time.monotonic() < deadline and _rows(url, _WAITING)[0][0]:
        time.sleep(0.5)


def _rows(url: str, query: str) -> list[Any]:
    with psycopg.connect(url) as app:
        return app.execute(query.encode()).fetchall()


def _judge(plan: Plan, url: str, post: Post, crew: Crew) -> Outcome:
    """Compare what came with what was told."""
    told = {row[0] for row in _rows(url, "SELECT id::text FROM notifications_message")}
    doubtful = {row[0] for row in _rows(url, _DOUBTFUL)}
    came, twice = set(post.taken), {one for one, count in post.taken.items() if count > 1}
    counts = {
        "kills": crew.kills,
        "mails": len(told),
        "came_twice": len(twice),
        "in_doubt": len(doubtful),
        "attempts": _rows(url, "SELECT count(*) FROM notifications_messageattempt")[0][0],
        **{f"mails_{what}": count for what, count in sorted(post.counts.items())},
    }
    complaints = {
        "notices are not one mail each": plan.notices - len(told),
        "mails never came": len(told - came),
        "mails came that nobody wrote": len(came - told),
        "mails came twice, and their log does not say so": len(twice - doubtful),
        "mails wait still": _rows(url, _WAITING)[0][0],
    }
    failures = [f"{number} {what}" for what, number in complaints.items() if number]
    return Outcome(counts=counts, failures=failures)


def main() -> int:
    """Run the proof, print its counts, and return the exit status."""
    broken = os.environ.get("BREAK", "")
    if broken not in {"", "lease"}:
        sys.exit(f"BREAK is lease or nothing, not {broken!r}")
    seconds = 600 if os.environ.get("FULL") == "1" else 90
    plan = Plan(
        seconds=seconds,
        notices=seconds * 15,
        kills=seconds // 6,
        copies=2,
        seed=int(os.environ.get("SEED") or random.randrange(2**32)),
        broken=broken,
    )
    print(f"seed {plan.seed}: {plan.notices} notices, {seconds} s, {plan.kills} kills", flush=True)
    with own_bank() as bank:
        outcome = prove(plan, bank.environment)
    return conclude(
        name="notifications", seed=plan.seed, counts=outcome.counts, failures=outcome.failures
    )


if __name__ == "__main__":
    sys.exit(main())
