"""Webhooks to a receiver that loses and delays, by workers that are killed: none is missing.

Money moves and is set aside; `manage.py watch` feeds the events, Celery delivers them, and one of
their processes after the other is killed with SIGKILL and started again. The receiver drops
messages, takes some and says nothing, answers late, with 500 or a redirect. Afterwards each posting
and each hold has come to each person who holds the account, under one ``webhook-id`` each, rightly
signed, and nothing else has.

``SEED=…`` repeats the dice, ``FULL=1`` runs ten minutes. ``BREAK=lease`` lets a worker forget what
it has taken when it is killed: then events get lost, and this proof must fail.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from bankproject.runtime import valkey
from bankproject.runtime.ports import first_free
from tests.proofs._bank import PROJECT, own_bank
from tests.proofs._outcome import conclude
from tests.receiver import Message, Reply, receiving

Told = tuple[str, str, str]
"""Type, what it is about, and who is told."""

SECONDS_TO_SETTLE: Final = 120
_EXPECTED: Final = """
SELECT 'transfer.debited', j.id::text, h.user_id::text
FROM ledger.journal AS j INNER JOIN ledger.holder AS h ON h.account = j.debit
UNION ALL
SELECT 'transfer.credited', j.id::text, h.user_id::text
FROM ledger.journal AS j INNER JOIN ledger.holder AS h ON h.account = j.credit
UNION ALL
SELECT 'hold.placed', o.id::text, h.user_id::text
FROM ledger.hold AS o INNER JOIN ledger.holder AS h ON h.account = o.account
UNION ALL
SELECT 'hold.' || o.state, o.id::text, h.user_id::text
FROM ledger.hold AS o INNER JOIN ledger.holder AS h ON h.account = o.account
WHERE o.state <> 'open'
"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long, how many, and with which dice."""

    seconds: float
    postings: int
    kills: int
    copies: int
    seed: int
    broken: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What happened, and what should not have."""

    counts: dict[str, int]
    failures: list[str]


@dataclass
class Shop:
    """Who receives: keeps what it takes, and does badly now and then."""

    dice: random.Random
    secrets: Mapping[str, str] = field(default_factory=dict)
    taken: dict[str, set[Told]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, message: Message) -> Reply:
        """Take a message, or do not; say so, or do not."""
        with self.lock:
            fate, pause = self.dice.random(), self.dice.uniform(0.1, 1.5)
        if fate < 0.15:
            return self._counted("lost", Reply(status=None))
        if fate < 0.30:
            return self._counted("refused", Reply(status=500))
        if fate < 0.35:
            return self._counted("redirected", Reply(status=302, headers={"Location": "/"}))
        self._take(message)
        if fate < 0.45:
            return self._counted("taken_without_a_word", Reply(status=None))
        if fate < 0.55:
            time.sleep(pause)
            return self._counted("answered_late", Reply())
        return self._counted("answered", Reply())

    def _counted(self, what: str, reply: Reply) -> Reply:
        with self.lock:
            self.counts[what] += 1
        return reply

    def _take(self, message: Message) -> None:
        person = message.path.removeprefix("/")
        try:
            read = Webhook(self.secrets[person]).verify(message.body, dict(message.headers))
        except WebhookVerificationError:
            self._counted("wrongly_signed", Reply())
            return
        with self.lock:
            what = (read["type"], read["data"]["id"], person)
            self.taken.setdefault(message.id, set()).add(what)

    def told(self) -> set[Told]:
        """Return all that was taken."""
        with self.lock:
            return {one for several in self.taken.values() for one in several}


def prove(plan: Plan, bank: Mapping[str, str]) -> Outcome:
    """Work, kill, start again, wait until all is delivered, and compare with the books.

    ``bank`` is the environment in which programs find an empty bank.
    """
    dice = random.Random(plan.seed)
    shop = Shop(dice=random.Random(plan.seed + 1))
    with (
        own_broker() as broker,
        receiving() as receiver,
        tempfile.TemporaryDirectory() as folder,
    ):
        environment = {
            **bank,
            "REDIS_URL": broker,
            "ALLOW_PRIVATE_ADDRESSES": "1",
            "ALLOW_PLAINTEXT": "1",
            "BREAK": plan.broken,
        }
        crew = Crew(environment=environment, folder=Path(folder))
        with _begin_work(plan, environment, receiver.address) as work:
            shop.secrets = json.loads(_line(work))
            receiver.answering = shop.answer
            try:
                crew.start(plan.copies)
                _kill_now_and_then(crew, plan, dice)
                if work.wait() != 0:
                    return Outcome(counts={}, failures=["the work did not come to an end"])
                _wait_until_settled(bank["DATABASE_URL"], shop)
            finally:
                work.kill()
                crew.end()
        return _judge(bank["DATABASE_URL"], shop, crew)


@dataclass(kw_only=True)
class Crew:
    """The processes that feed and deliver, each in a group of its own, to be killed whole."""

    environment: Mapping[str, str]
    folder: Path
    names: Sequence[str] = ("worker", "beat", "watch")
    app: str = "tests.proofs._webhook_celery"
    kills: int = 0
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, copies: int) -> None:
        """Start everything, each so many times."""
        for number in range(copies):
            for name in self.names:
                self._start(f"{name}-{number}")

    def kill_one(self, dice: random.Random) -> None:
        """Kill one of them with its children, and start it again."""
        name = dice.choice(sorted(self._running))
        self._kill(name)
        self._start(name)
        self.kills += 1

    def end(self) -> None:
        """Kill all."""
        for name in list(self._running):
            self._kill(name)

    def _start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                self._command(name),
                env=dict(self.environment),
                cwd=PROJECT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _command(self, name: str) -> list[str]:
        if name.startswith("watch"):
            return [sys.executable, "manage.py", "watch"]
        celery = [sys.executable, "-m", "celery", "--app", self.app]
        if name.startswith("beat"):
            return [*celery, "beat", "--pidfile="]
        quiet = ["--without-mingle", "--without-gossip", f"--hostname={name}@proof"]
        return [*celery, "worker", "--concurrency=1", *quiet]

    def _kill(self, name: str) -> None:
        process = self._running.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def own_broker() -> Iterator[str]:
    """Start a Valkey of our own and yield its address."""
    with tempfile.TemporaryDirectory(prefix="bank-proof-") as folder:
        broker = valkey.Valkey(
            binary=valkey.embedded(),
            folder=Path(folder) / "valkey",
            port=first_free(29_000 + random.randrange(900)),
            password="proof",
        )
        process = broker.start()
        try:
            yield broker.url
        finally:
            process.terminate()
            process.wait()


def _begin_work(
    plan: Plan, environment: Mapping[str, str], address: str
) -> "subprocess.Popen[str]":
    words = (address, str(plan.postings), str(plan.seconds), str(plan.seed))
    return subprocess.Popen(
        [sys.executable, "-m", "tests.proofs._webhook_work", *words],
        env=dict(environment),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )


def _line(process: "subprocess.Popen[str]") -> str:
    if process.stdout is None:
        raise AssertionError
    return process.stdout.readline()


def _kill_now_and_then(crew: Crew, plan: Plan, dice: random.Random) -> None:
    started = time.monotonic()
    for turn in range(plan.kills):
        at = plan.seconds * (turn + dice.uniform(0.5, 1.0)) / plan.kills
        time.sleep(max(started + at - time.monotonic(), 0.0))
        crew.kill_one(dice)


def _wait_until_settled(url: str, shop: Shop) -> None:
    """Wait until all that is expected has come and nothing is under way; not for ever."""
    deadline = time.monotonic() + SECONDS_TO_SETTLE
    expected = _expected(url)
    while time.monotonic() < deadline:
        if shop.told() >= expected and not _pending(url):
            return
        time.sleep(0.2)


def _expected(url: str) -> set[Told]:
    with psycopg.connect(url) as app:
        return {(str(row[0]), str(row[1]), str(row[2])) for row in app.execute(_EXPECTED)}


def _pending(url: str) -> int:
    return _count(url, "SELECT count(*) FROM notifications_delivery WHERE state = 'pending'")


def _count(url: str, query: str) -> int:
    with psycopg.connect(url) as app:
        row: Any = app.execute(query).fetchone()
    return int(row[0])


def _judge(url: str, shop: Shop, crew: Crew) -> Outcome:
    """Compare what came with what stands in the books."""
    expected, told = _expected(url), shop.told()
    ids: Counter[Told] = Counter(one for several in shop.taken.values() for one in several)
    counts = {
        "kills": crew.kills,
        "events": len(expected),
        "webhook_ids": len(shop.taken),
        "attempts": _count(url, "SELECT count(*) FROM notifications_attempt"),
        **{f"messages_{what}": count for what, count in sorted(shop.counts.items())},
    }
    failures = [
        *_complaint(len(expected - told), "events never came"),
        *_complaint(len(told - expected), "events came that never happened"),
        *_complaint(sum(count > 1 for count in ids.values()), "events came under several ids"),
        *_complaint(
            sum(len(several) > 1 for several in shop.taken.values()), "ids stood for several events"
        ),
        *_complaint(shop.counts["wrongly_signed"], "messages were wrongly signed"),
        *_complaint(_pending(url), "deliveries are under way still"),
        *_complaint(
            _count(url, "SELECT count(*) FROM notifications_delivery WHERE state = 'failed'"),
            "deliveries were given up",
        ),
    ]
    return Outcome(counts=counts, failures=failures)


def _complaint(number: int, what: str) -> list[str]:
    return [f"{number} {what}"] if number else []


def main() -> int:
    """Run the proof, print its counts, and return the exit status."""
    broken = os.environ.get("BREAK", "")
    if broken not in {"", "lease"}:
        sys.exit(f"BREAK is lease or nothing, not {broken!r}")
    seconds = 600 if os.environ.get("FULL") == "1" else 90
    plan = Plan(
        seconds=seconds,
        postings=seconds * 15,
        kills=seconds // 3,
        copies=2,
        seed=int(os.environ.get("SEED") or random.randrange(2**32)),
        broken=broken,
    )
    print(
        f"seed {plan.seed}: {plan.postings} postings, {seconds} s, {plan.kills} kills", flush=True
    )
    with own_bank() as bank:
        outcome = prove(plan, bank.environment)
    return conclude(
        name="webhooks", seed=plan.seed, counts=outcome.counts, failures=outcome.failures
    )


if __name__ == "__main__":
    sys.exit(main())
