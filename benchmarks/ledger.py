"""The ledger's speed against pgbench's own tpcb-like load, on one server, in turns.

`make bench NAME=ledger`; ROUNDS and SECONDS change how often and how long each load runs. What is
measured is what is shipped: deploy/postgres/primary.conf, the application's role, and each posting
with an idempotency key, its request hash, all indexes, all checks. Ratios compare within a round.

Where django-hordak is installed, its transfers run in the same turns: eight clients in Python,
2,000 accounts in a database of their own, all refused where there is not enough money. TigerBeetle
is not measured: what PyPI has of it is the client, without a server.
"""

import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import psutil
import psycopg
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks._hordak import CLIENTS as HORDAK_CLIENTS
from benchmarks._hordak import Hordak, hordak_beside
from benchmarks._pgbench import PgBench
from tests.proofs._bank import OwnBank, django_on, own_bank

ACCOUNTS: Final = 100_000
FIRST_ACCOUNT: Final = 100_000_000_000
CLIENTS: Final = (1, 8, 32)
BATCHES: Final = (1, 10, 100, 1_000, 8_000)
HOT_BATCH: Final = 1_000
HORDAK: Final = f"hordak_c{HORDAK_CLIENTS}"
NOT_INSTALLED: Final = "not installed"
BOUNDS: Final = {
    "single_c1": 1.3,
    "single_c32": 1.8,
    "hot_c8": 0.8,
    "batch_100": 4.5,
    "batch_1000": 5.0,
    "batch_8000": 5.5,
    "hot_batch_1000": 6.0,
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One load in one round: transfers a second, and what the server spent on each."""

    rate: float
    cpu_seconds: float
    bytes: float


@dataclass
class Results:
    """All samples, by load."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def add(self, load: str, sample: Sample) -> None:
        """Note one sample."""
        self.samples.setdefault(load, []).append(sample)

    def median(self, load: str, figure: str) -> float:
        """Return the median of a figure over all rounds."""
        return float(statistics.median(getattr(sample, figure) for sample in self.samples[load]))

    def ratio(self, load: str) -> float:
        """Return the median, over the rounds, of a load's rate by its yardstick's."""
        yardstick = "tpcb_c1" if load == "single_c1" else "tpcb_c32"
        pairs = zip(self.samples[load], self.samples[yardstick], strict=True)
        return statistics.median(ours.rate / theirs.rate for ours, theirs in pairs)


class Server:
    """What the server has spent so far: CPU time of all its processes, bytes of its databases."""

    def __init__(self, bank: OwnBank) -> None:
        """Find the server's first process."""
        pid = (bank.cluster.folder / "postmaster.pid").read_text(encoding="utf-8").split()[0]
        self._postmaster = psutil.Process(int(pid))
        self._url = bank.superuser_url

    def cpu_seconds(self) -> float:
        """Return the CPU time of the server, of its processes that ended too."""
        total = 0.0
        for process in (self._postmaster, *self._postmaster.children(recursive=True)):
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        ended = self._postmaster.cpu_times()
        return total + ended.children_user + ended.children_system

    def bytes(self) -> int:
        """Return the size of the bank's database, with its indexes."""
        with psycopg.connect(self._url) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0


@dataclass(frozen=True, slots=True)
class Bench:
    """The loads, and where their samples go."""

    server: Server
    results: Results

    @contextmanager
    def _spent(self) -> Iterator[Callable[[], tuple[float, int]]]:
        cpu, size = self.server.cpu_seconds(), self.server.bytes()
        yield lambda: (self.server.cpu_seconds() - cpu, self.server.bytes() - size)

    def timed(self, load: str, seconds: float, rate_of: Callable[[], float]) -> None:
        """Run a load that lasts ``seconds`` and returns its rate; note its sample."""
        with self._spent() as spent:
            rate = rate_of()
        cpu, size = spent()
        transfers = rate * seconds
        self.results.add(load, Sample(rate, cpu / transfers, size / transfers))


def main() -> int:
    """Measure, print a table and a last line of JSON; 1 when the books do not prove."""
    rounds = int(os.environ.get("ROUNDS", "5"))
    seconds = int(os.environ.get("SECONDS", "4"))
    console = Console(stderr=True)
    with own_bank() as bank, django_on(bank), hordak_beside(bank) as hordak:
        console.print("Opening 100,000 accounts …")
        _open_accounts()
        pgbench = PgBench(
            bank=bank, seconds=seconds, first_account=FIRST_ACCOUNT, accounts=ACCOUNTS
        )
        pgbench.fill_tpcb()
        bench = Bench(Server(bank), Results())
        turns = [turn for _ in range(rounds) for turn in _round(bench, pgbench, hordak, seconds)]
        for turn in track(turns, "Measuring", console=console):
            turn()
        wrong = bank.check_books()
        _print_table(bench.results, rounds, seconds)
        print(wrong or "The books prove.")
        print(json.dumps(_answer(bench.results)))
    return int(bool(wrong))


def _round(
    bench: Bench, pgbench: PgBench, hordak: Hordak | None, seconds: int
) -> list[Callable[[], None]]:
    """Return the loads of one round: ours and pgbench's in turn, batches from Python, hordak's."""
    turns: list[Callable[[], None]] = []

    def turn(load: str, rate_of: Callable[[], float]) -> None:
        turns.append(partial(bench.timed, load, seconds, rate_of))

    for clients in CLIENTS:
        turn(f"tpcb_c{clients}", partial(pgbench.tpcb, clients=clients))
        turn(f"single_c{clients}", partial(pgbench.script, "single", clients=clients))
    for clients in CLIENTS:
        turn(f"hot_c{clients}", partial(pgbench.script, "hot", clients=clients))
    for size in BATCHES:
        turn(f"batch_{size}", partial(_post_batches, size, seconds, hot=False))
    turn(f"hot_batch_{HOT_BATCH}", partial(_post_batches, HOT_BATCH, seconds, hot=True))
    if hordak:
        turn(HORDAK, partial(hordak.rate, seconds=seconds))
    return turns


def _open_accounts() -> None:
    """Open the accounts, give each a million rupees, and let the planner know."""
    from django.db import connection, transaction

    from core.money import Money
    from transactions.chart import Place, open_chart
    from transactions.ledger.accounts import Opening, Purpose, open_accounts
    from transactions.ledger.posting import Kind, Transfer, post_batch

    numbers = range(FIRST_ACCOUNT, FIRST_ACCOUNT + ACCOUNTS)
    vault = open_chart(branch=100, currency="INR").number(Place.VAULT)
    for start in range(0, ACCOUNTS, 10_000):
        chunk = numbers[start : start + 10_000]
        with transaction.atomic():
            open_accounts(
                [Opening(number=n, currency="INR", purpose=Purpose.CUSTOMER) for n in chunk],
                client=0,
            )
            million = Money(100_000_000, "INR")
            deposits = [Transfer(vault, number, million, Kind.DEPOSIT) for number in chunk]
            post_batch(deposits, order=_order(f"opening-{start}"))
    connection.close()


def _post_batches(size: int, seconds: float, *, hot: bool) -> float:
    """Return transfers a second by one connection, everything from numbers to answers included."""
    from core.money import Money
    from transactions.ledger.posting import Transfer, post_batch

    seed = time.time_ns()
    dice = random.Random(seed)
    pair = (FIRST_ACCOUNT, FIRST_ACCOUNT + ACCOUNTS - 1)
    posted = 0
    started = time.perf_counter()
    deadline = started + seconds
    while time.perf_counter() < deadline:
        pairs = [pair] * size if hot else _random_pairs(dice, size)
        batch = [Transfer(debit, credit, Money(7, "INR")) for debit, credit in pairs]
        receipt = post_batch(batch, order=_order(f"batch-{seed}-{posted}"))
        if receipt.refusals:
            message = f"a batch was refused in part: {receipt.refusals}"
            raise RuntimeError(message)
        posted += size
    return posted / (time.perf_counter() - started)


def _random_pairs(dice: random.Random, size: int) -> list[tuple[int, int]]:
    """Return pairs of different accounts, drawn at random."""
    drawn = dice.choices(range(FIRST_ACCOUNT, FIRST_ACCOUNT + ACCOUNTS), k=2 * size)
    half = ACCOUNTS // 2
    return [
        (debit, credit if credit != debit else FIRST_ACCOUNT + (debit + half) % ACCOUNTS)
        for debit, credit in zip(drawn[::2], drawn[1::2], strict=True)
    ]


def _order(key: str) -> Any:
    from core.clock import bank_day, now
    from transactions.ledger.posting import Channel, Order

    return Order(client=1, channel=Channel.API, day=bank_day(now()), key=key)


def _print_table(results: Results, rounds: int, seconds: int) -> None:
    table = Table(title=f"Medians of {rounds} rounds, {seconds} s each")
    for heading in ("load", "transfers/s", "by tpcb-like", "at least", "CPU µs each", "bytes each"):
        table.add_column(heading, justify="left" if heading == "load" else "right")
    for load in results.samples:
        is_yardstick = load.startswith("tpcb")
        is_ours = not is_yardstick and load != HORDAK
        bound = BOUNDS.get(load)
        table.add_row(
            load,
            f"{results.median(load, 'rate'):,.0f}",
            f"{results.ratio(load):.2f}" if not is_yardstick else "",
            f"{bound:.1f}" if bound else "",
            f"{results.median(load, 'cpu_seconds') * 1e6:,.0f}",
            f"{results.median(load, 'bytes'):,.0f}" if is_ours else "",
        )
    if HORDAK not in results.samples:
        table.add_row(HORDAK, NOT_INSTALLED)
    Console(width=100).print(table)


def _answer(results: Results) -> dict[str, Any]:
    figures = {
        load: {
            "per_second": round(results.median(load, "rate")),
            "cpu_seconds_each": round(results.median(load, "cpu_seconds"), 7),
            "bytes_each": round(results.median(load, "bytes")),
        }
        for load in results.samples
    }
    return {
        "name": "ledger",
        "ratios": {load: round(results.ratio(load), 2) for load in BOUNDS},
        "figures": {HORDAK: NOT_INSTALLED, **figures},
    }


if __name__ == "__main__":
    sys.exit(main())
