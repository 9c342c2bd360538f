"""A process of clients under load, told what to do by lines on its input.

A line is ``WORK CLIENTS SECONDS`` or, for batches, ``WORK SIZE SECONDS``; the answer is a line of
JSON: how long it took, how often the bank was busy, and the instant of each commit.
"""

import json
import random
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final
from uuid import uuid4

import django

django.setup()

from benchmarks._branch_bank import ACCOUNTS, first_account  # noqa: E402  # needs Django set up
from core.clock import bank_day, now  # noqa: E402  # as above
from core.db.errors import Busy  # noqa: E402  # as above
from core.money import Money  # noqa: E402  # as above
from transactions.branches.batches import post_batch_across  # noqa: E402  # as above
from transactions.ledger.posting import Channel, Order, Transfer, post_batch  # noqa: E402  # as above
from transactions.services import TransferRequest, transfer_funds  # noqa: E402  # as above

MOST_CLIENTS: Final = 16
BRANCHES: Final = ("MUM", "DEL")

Work = Callable[[random.Random], None]


def main() -> None:
    """Work line by line until the input ends."""
    with ThreadPoolExecutor(MOST_CLIENTS) as pool:
        for line in sys.stdin:
            name, count, seconds = line.split()
            answer = _measured(pool, name, int(count), float(seconds))
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


def _measured(pool: ThreadPoolExecutor, name: str, count: int, seconds: float) -> dict[str, object]:
    clients = count if name in TRANSFERS else 1
    work = TRANSFERS[name] if name in TRANSFERS else partial(BATCHES[name], count)
    gate = threading.Barrier(clients + 1)
    loops = [pool.submit(_loop, work, seconds, gate) for _ in range(clients)]
    gate.wait()
    started = time.monotonic()
    results = [loop.result() for loop in loops]
    return {
        "seconds": time.monotonic() - started,
        "busy": sum(busy for _, busy in results),
        "instants": sorted(instant for instants, _ in results for instant in instants),
    }


def _loop(work: Work, seconds: float, gate: threading.Barrier) -> tuple[list[float], int]:
    dice = random.Random()
    instants, busy = [], 0
    gate.wait()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            work(dice)
        except Busy:
            busy += 1
        else:
            instants.append(time.monotonic())
    return instants, busy


def _send(dice: random.Random, debit: int, credit: int) -> None:
    request = TransferRequest(
        user=1,
        key=str(uuid4()),
        channel=Channel.API,
        debit=debit,
        credit=credit,
        amount=Money(dice.randint(1, 5_000), "INR"),
    )
    transfer_funds(request, now=now())


def _transfer(dice: random.Random) -> None:
    """Send between two accounts of one branch, either of the two."""
    first = first_account(dice.choice(BRANCHES))
    debit, credit = dice.sample(range(ACCOUNTS), 2)
    _send(dice, first + debit, first + credit)


def _transfer_across(dice: random.Random) -> None:
    """Send from any account of one branch to any of the other."""
    source, destination = dice.sample(BRANCHES, 2)
    debit, credit = (
        first_account(node) + dice.randrange(ACCOUNTS) for node in (source, destination)
    )
    _send(dice, debit, credit)


def _transfer_between_two(dice: random.Random) -> None:
    """Send between the same two accounts of two branches, this way or that."""
    debit, credit = dice.sample([first_account(node) for node in BRANCHES], 2)
    _send(dice, debit, credit)


def _batch(size: int, dice: random.Random) -> None:
    node = dice.choice(BRANCHES)
    numbers = range(first_account(node), first_account(node) + ACCOUNTS)
    pairs = [dice.sample(numbers, 2) for _ in range(size)]
    batch = [Transfer(debit, credit, Money(7, "INR")) for debit, credit in pairs]
    post_batch(batch, order=_order(), using=node)


def _batch_across(size: int, dice: random.Random) -> None:
    source, destination = dice.sample(BRANCHES, 2)
    debits = [first_account(source) + dice.randrange(ACCOUNTS) for _ in range(size)]
    credits_ = [first_account(destination) + dice.randrange(ACCOUNTS) for _ in range(size)]
    batch = [
        Transfer(debit, credit, Money(7, "INR"))
        for debit, credit in zip(debits, credits_, strict=True)
    ]
    post_batch_across(batch, order=_order(), source=source, destination=destination)


def _order() -> Order:
    return Order(client=1, channel=Channel.API, day=bank_day(now()), key=str(uuid4()))


TRANSFERS: Final[dict[str, Work]] = {
    "local": _transfer,
    "cross": _transfer_across,
    "hot": _transfer_between_two,
}
BATCHES: Final[dict[str, Callable[[int, random.Random], None]]] = {
    "local_batch": _batch,
    "cross_batch": _batch_across,
}

if __name__ == "__main__":
    main()
