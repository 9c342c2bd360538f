"""django-hordak's transfers on the server of a bank, in a database beside the bank's.

As a program it sends them, as the one who started it says on its standard input.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from random import Random
from subprocess import Popen
from typing import Final

from bankproject.runtime.postgres import ROLES, create_bank
from tests.proofs._bank import OwnBank

CLIENTS: Final = 8
_PROCESSES: Final = 2


def hordak_database(bank: OwnBank) -> str:
    """Make an empty database for hordak, and return its address for the owner."""
    urls = create_bank(
        cluster=bank.cluster,
        superuser_password=bank.password,
        database="hordak",
        passwords=dict.fromkeys(ROLES, bank.password),
    )
    return urls.owner


@dataclass(frozen=True, slots=True)
class Hordak:
    """Processes that send transfers one by one, each by several threads, when they are told to."""

    senders: list[Popen[str]]

    def rate(self, *, seconds: int) -> float:
        """Return transfers a second of all clients together."""
        for sender in self.senders:
            print(seconds, file=sender.stdin, flush=True)
        rates = [float(one.stdout.readline()) for one in self.senders]  # type: ignore[union-attr]  # it is a pipe
        return sum(rates)


@contextmanager
def hordak_beside(bank: OwnBank) -> Iterator[Hordak | None]:
    """Open hordak's accounts and start its clients; None where it is not installed."""
    if find_spec("hordak") is None:
        yield None
        return
    environment = {**bank.environment, "HORDAK_DATABASE_URL": hordak_database(bank)}
    subprocess.run([sys.executable, "-m", "benchmarks._api_hordak"], env=environment, check=True)
    with ExitStack() as stack:
        # Each ends when its standard input does.
        yield Hordak([stack.enter_context(_sender(environment)) for _ in range(_PROCESSES)])


def _sender(environment: Mapping[str, str]) -> Popen[str]:
    return Popen(
        [sys.executable, "-m", __name__],
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def main() -> None:
    """Send transfers for as many seconds as each line says, and answer how many a second went."""
    for line in sys.stdin:
        threads = CLIENTS // _PROCESSES
        with ThreadPoolExecutor(threads) as several:
            rates = several.map(_rate, [int(line)] * threads)
        print(sum(rates), flush=True)


def _rate(seconds: int) -> float:
    """Return the transfers a second of one client. Half of the accounts pay the other half."""
    from django.db import connection
    from moneyed import Money

    from benchmarks._api_hordak import ACCOUNTS, send_money

    dice = Random(os.urandom(8))
    half, amount = ACCOUNTS // 2, Money("0.07", "INR")
    sent, started = 0, time.perf_counter()
    while time.perf_counter() < started + seconds:
        send_money(dice.randrange(half), half + dice.randrange(half), amount, memo="")
        sent += 1
    took = time.perf_counter() - started
    connection.close()
    return sent / took


if __name__ == "__main__":
    main()
