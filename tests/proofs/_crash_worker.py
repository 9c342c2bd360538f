"""One process of the crash proof: random work on a server that may die at any instant.

Whatever got no answer is sent again under its key until it gets one. All answers are written to a
file, with what they stand for. Words: number, seed, seconds, file; the accounts come on stdin.
"""

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import django
import psycopg
from django.db import DatabaseError, InterfaceError, connection

from core.db.errors import Busy
from core.money import Money
from transactions.ledger.codes import Refused
from transactions.ledger.posting import (
    Channel,
    Order,
    Transfer,
    capture,
    hold,
    post,
    post_batch,
    release,
    reverse,
)

CLIENT: Final = 7
DAY: Final = date(2026, 3, 2)
NO_ANSWER: Final = (Busy, DatabaseError, InterfaceError, psycopg.Error)
GIVE_UP_SECONDS: Final = 60
Answer = TypeVar("Answer")


class Worker:
    """Works on random accounts and remembers every answer."""

    def __init__(self, name: str, seed: str, accounts: list[int]) -> None:
        """Prepare the dice."""
        self.name = name
        self.random = random.Random(seed)
        self.accounts = accounts
        self.answers: list[dict[str, Any]] = []
        self.counts: Counter[str] = Counter()
        self.transfers: list[UUID] = []
        self.holds: list[tuple[UUID, int]] = []

    def work(self, seconds: float) -> None:
        """Do one thing after the other."""
        doings = (self.transfer,) * 5 + (self.batch, self.hold, self.end_hold, self.reverse)
        until = time.monotonic() + seconds
        serial = 0
        while time.monotonic() < until:
            serial += 1
            key = f"{self.name}-{serial}"
            by = Order(client=CLIENT, channel=Channel.API, day=DAY, key=key)
            try:
                self.random.choice(doings)(key, by)
            except Refused:
                self.counts["refused"] += 1

    def transfer(self, key: str, by: Order) -> None:
        """Send money from one account to another."""
        wish = self.wish(key)
        receipt = self.settle(lambda: post(wish, order=by))
        self.counts["settled_by_replay"] += receipt.replayed
        self.transfers.append(receipt.transfer_id)
        self.note(key, [receipt.transfer_id])

    def batch(self, key: str, by: Order) -> None:
        """Send a batch of a few linked transfers and a single one."""
        wishes = [self.wish(key, linked=place < 2) for place in range(4)]
        receipt = self.settle(lambda: post_batch(wishes, order=by))
        self.counts["settled_by_replay"] += receipt.replayed
        posted = [n for n in range(4) if n not in receipt.refusals]
        self.note(key, [receipt.transfer_id(n) for n in posted])

    def hold(self, key: str, by: Order) -> None:
        """Set money aside."""
        account, payee = self.random.sample(self.accounts, 2)
        minor = self.random.randint(1, 500)
        until = datetime.now(UTC) + timedelta(hours=1)
        hold_id = self.settle(
            lambda: (
                hold(
                    account=account,
                    payee=payee,
                    amount=Money(minor, "INR"),
                    expires_at=until,
                    order=by,
                ).hold_id
            )
        )
        self.holds.append((hold_id, minor))
        self.note(key, [], hold_id=hold_id)

    def end_hold(self, key: str, by: Order) -> None:
        """Capture a part of a hold of ours, or release it."""
        if not self.holds:
            return
        hold_id, minor = self.holds.pop(self.random.randrange(len(self.holds)))
        if self.random.random() < 0.5:
            self.settle(lambda: release(hold_id, order=by))
            self.note(key, [])
            return
        part = self.random.randint(1, minor)
        receipt = self.settle(lambda: capture(hold_id, minor=part, order=by, memo=key))
        self.counts["settled_by_replay"] += receipt.replayed
        self.note(key, [receipt.transfer_id])

    def reverse(self, key: str, by: Order) -> None:
        """Reverse a transfer of ours."""
        if not self.transfers:
            return
        transfer_id = self.random.choice(self.transfers)
        self.note(key, [self.settle(lambda: reverse(transfer_id, order=by, memo=key))])

    def wish(self, key: str, *, linked: bool = False) -> Transfer:
        """Return a random transfer whose memo is its key."""
        debit, credit = self.random.sample(self.accounts, 2)
        amount = Money(self.random.randint(1, 500), "INR")
        return Transfer(debit, credit, amount, memo=key, linked=linked)

    def settle(self, work: Callable[[], Answer]) -> Answer:
        """Do ``work`` until there is an answer."""
        give_up = time.monotonic() + GIVE_UP_SECONDS
        doubtful = False
        while True:
            try:
                answer = work()
            except NO_ANSWER as error:
                if time.monotonic() > give_up:
                    raise
                self.counts["without_answer"] += not doubtful
                self.counts[f"errors_{type(error).__name__}"] += 1
                doubtful = True
                connection.close()
                time.sleep(self.random.uniform(0.02, 0.2))
            else:
                return answer

    def note(self, key: str, transfers: list[UUID], *, hold_id: UUID | None = None) -> None:
        """Remember what an answer said."""
        self.counts["answered"] += 1
        ids = [str(transfer) for transfer in transfers]
        self.answers.append({"key": key, "transfers": ids, "hold": hold_id and str(hold_id)})


def main() -> None:
    """Say "ready", wait for the word, work, and write everything down."""
    django.setup()
    number, seed, seconds, file = sys.argv[1:]
    worker = Worker(number, f"{seed}-{number}", json.loads(sys.stdin.readline()))
    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    worker.work(float(seconds))
    Path(file).write_text(json.dumps({"counts": worker.counts, "answers": worker.answers}))


if __name__ == "__main__":
    main()
