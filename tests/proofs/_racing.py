"""Races on one balance, limit, key, hold or transfer, and how many must get through.

Django must be set up on a bank in which the races can commit.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import sleep

from django.db import connections

from tests.factories import account, inr, order
from transactions.ledger.accounts import set_payee_limit
from transactions.ledger.codes import Refused
from transactions.ledger.connection import fetch_one
from transactions.ledger.posting import Transfer, capture, hold, post, release, reverse
from transactions.ledger.reads import balances

# A server takes about a hundred connections; more racers than this share them.
CONNECTIONS = 40


@dataclass(frozen=True, kw_only=True)
class Race:
    """A race that was run: how each kind of racer ended, and how it should have been."""

    name: str
    racers: int
    ended: Counter[str]
    expected: dict[str, int]

    @property
    def failures(self) -> list[str]:
        """Return what went wrong, if anything."""
        if dict(self.ended) == self.expected:
            return []
        return [f"{self.name}: {dict(self.ended)}, expected {self.expected}"]


def race(racers: Iterable[Callable[[], str]]) -> Counter[str]:
    """Start all racers at one instant, each on a connection of its own, and count their ends."""
    starts = list(racers)
    barrier = threading.Barrier(len(starts))
    seats = threading.BoundedSemaphore(CONNECTIONS)

    def run(racer: Callable[[], str]) -> str:
        barrier.wait()
        with seats:
            try:
                return racer()
            except Refused as refusal:
                return refusal.code
            finally:
                connections.close_all()

    with ThreadPoolExecutor(len(starts)) as pool:
        return Counter(pool.map(run, starts))


def on_one_balance(racers: int = 40, fits: int = 7) -> Race:
    """Send many transfers from an account that has money for some."""
    payer, payee = account(balance=fits * 80 + 79), account()
    ended = race([_pays(payer, payee, 80)] * racers)
    expected = {"posted": fits, "insufficient_funds": racers - fits}
    if balances([payer])[0].balance != 79:
        expected["balance of 79"] = 1
    return Race(name="one balance", racers=racers, ended=ended, expected=expected)


def on_a_daily_limit(racers: int = 100, fits: int = 40) -> Race:
    """Send many transfers from an account that may spend 1,000 a day."""
    payer, payee = account(balance=1_000_000, daily_limit=1_000), account()
    ended = race([_pays(payer, payee, 1_000 // fits)] * racers)
    expected = {"posted": fits, "daily_limit_exceeded": racers - fits}
    return Race(name="a daily limit", racers=racers, ended=ended, expected=expected)


def on_a_payee_limit(racers: int = 40, fits: int = 10) -> Race:
    """Send many transfers to a payee who may get 500 a day."""
    payer, payee = account(balance=1_000_000), account()
    set_payee_limit(payer, payee=payee, daily_limit=500, client=0, reason="race")
    ended = race([_pays(payer, payee, 500 // fits)] * racers)
    expected = {"posted": fits, "payee_limit_exceeded": racers - fits}
    return Race(name="a payee's limit", racers=racers, ended=ended, expected=expected)


def on_one_key(racers: int = 1_000) -> Race:
    """Send one request many times at once: one posting, the same answer."""
    payer, payee = account(balance=10_000), account()
    asked = order(client=7)
    answers = set()

    def send() -> str:
        receipt = post(Transfer(payer, payee, inr(2_500)), order=asked)
        answers.add((receipt.transfer_id, receipt.debit_after, receipt.credit_after))
        return "replayed" if receipt.replayed else "posted"

    ended = race([send] * racers)
    ended["answers"] = len(answers)
    ended["balance"] = balances([payer])[0].balance
    expected = {"posted": 1, "replayed": racers - 1, "answers": 1, "balance": 7_500}
    return Race(name="one key", racers=racers, ended=ended, expected=expected)


def on_one_hold(rounds: int = 20) -> list[Race]:
    """Capture, release and expire one hold at once: one of them ends it, and once."""
    return [_end_one_hold(turn) for turn in range(rounds)]


def _end_one_hold(turn: int) -> Race:
    payer, payee = account(balance=1_000), account()
    soon = datetime.now(UTC) + timedelta(milliseconds=150)
    held = hold(
        account=payer, payee=payee, amount=inr(1_000), expires_at=soon, order=order()
    ).hold_id

    def capturing() -> str:
        capture(held, minor=1_000, order=order())
        return "captured"

    def releasing() -> str:
        release(held, order=order())
        return "released"

    def expiring() -> str:
        fetch_one("expire_holds", {}, "default")
        return "looked"

    # Some rounds race before the expiry, some across it, some after.
    sleep(turn % 4 * 0.05)
    ended = race([capturing] * 6 + [releasing] * 6 + [expiring] * 3)
    (after,) = balances([payer])
    won = ended["captured"] + ended["released"]
    state = (after.balance, after.held, after.available)
    paid = (0, 0, 0) if ended["captured"] else (1_000, 0, 1_000)
    seen = Counter(ends=won, right_balance=int(state == paid))
    # When nobody was in time, all were told that the hold had expired.
    all_late = won == 0 and ended["hold_expired"] == 12
    expected = {"ends": 0 if all_late else 1, "right_balance": 1}
    return Race(name=f"one hold, round {turn}", racers=15, ended=seen, expected=expected)


def on_one_reversal(racers: int = 20) -> Race:
    """Reverse one transfer many times at once, each under a key of its own."""
    payer, payee = account(balance=1_000), account()
    transfer_id = post(Transfer(payer, payee, inr(600)), order=order()).transfer_id

    def reversing() -> str:
        reverse(transfer_id, order=order())
        return "reversed"

    ended = race([reversing] * racers)
    expected = {"reversed": 1, "already_reversed": racers - 1}
    return Race(name="one reversal", racers=racers, ended=ended, expected=expected)


def _pays(payer: int, payee: int, minor: int) -> Callable[[], str]:
    def pay() -> str:
        post(Transfer(payer, payee, inr(minor)), order=order())
        return "posted"

    return pay
