"""Transfers between nodes against transfers on one node, by the same service, in turns.

`make bench NAME=branches`; ROUNDS and SECONDS change how often and how long each load runs,
HOT_SECONDS, LAG_SECONDS and KILLS the rest. Three nodes and the replica, a server each; clients are
threads of two processes, which send both kinds with the same connections, accounts and checks; one
alone, and batches, of one process. Python is a part of what is measured, on both sides.
"""

import json
import os
import statistics
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, Final

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks._branch_bank import BranchBank, branch_bank
from benchmarks._branch_lag import Lag, replica_lag
from benchmarks._branch_programs import Clients, router_costs, settling_seconds, watch

CLIENTS: Final = (1, 8, 32)
BATCHES: Final = (100, 1_000)
HOT_CLIENTS: Final = 32
MOST_STALL_SECONDS: Final = 2.0
BOUNDS: Final = {"two_phase_c8_vs_local": 0.35, "batch_1000_vs_local_single": 4.0}


@dataclass
class Results:
    """Transfers a second of each load, round by round."""

    rates: dict[str, list[float]] = field(default_factory=dict)

    def add(self, load: str, rate: float) -> None:
        """Note a rate."""
        self.rates.setdefault(load, []).append(rate)

    def median(self, load: str) -> float:
        """Return the median of a load's rates."""
        return statistics.median(self.rates[load])

    def ratio(self, load: str, yardstick: str) -> float:
        """Return the median, over the rounds, of a load's rate by its yardstick's."""
        pairs = zip(self.rates[load], self.rates[yardstick], strict=True)
        return statistics.median(ours / theirs for ours, theirs in pairs)


@dataclass(frozen=True, kw_only=True)
class Others:
    """What is measured once: all in seconds."""

    hot_rate: float
    hot_busy: int
    longest_stall: float
    lag: Lag
    router: dict[str, float]
    settling: list[float]


def main() -> int:
    """Measure, print tables and a last line of JSON; 1 when the books do not prove."""
    rounds, seconds = _given("ROUNDS", 5), _given("SECONDS", 3)
    console = Console(stderr=True)
    console.print("Starting four servers, opening accounts …")
    with branch_bank() as bank:
        results = Results()
        with ExitStack() as stack:
            stack.enter_context(watch(bank))
            clients = stack.enter_context(Clients(bank))
            turns = [turn for _ in range(rounds) for turn in _round(clients, results, seconds)]
            for turn in track(turns, "Measuring", console=console):
                turn()
            others = _measure_others(bank, clients, console)
        proved = bank.check_books()
    _print_tables(results, others, rounds, seconds)
    print(proved or "The books prove.")
    print(json.dumps(_answer(results, others)))
    return 1 if proved else 0


def _given(name: str, default: int) -> int:
    return int(os.environ.get(name, default))


def _round(clients: Clients, results: Results, seconds: int) -> list[Callable[[], None]]:
    """Return the loads of one round, each between nodes after the same on one node."""

    def turn(load: str, work: str, count: int, size: int = 1) -> Callable[[], None]:
        return partial(_timed, clients, results, load, (work, count, size, seconds))

    turns = []
    for count in CLIENTS:
        turns += [turn(f"local_c{count}", "local", count), turn(f"cross_c{count}", "cross", count)]
    for size in BATCHES:
        turns += [
            turn(f"local_batch_{size}", "local_batch", 1, size),
            turn(f"cross_batch_{size}", "cross_batch", 1, size),
        ]
    return turns


def _timed(clients: Clients, results: Results, load: str, what: tuple[str, int, int, int]) -> None:
    work, count, size, seconds = what
    results.add(load, clients.work(work, count=count, size=size, seconds=seconds).rate)


def _measure_others(bank: BranchBank, clients: Clients, console: Console) -> Others:
    console.print("Opposite transfers between two hot accounts …")
    seconds = _given("HOT_SECONDS", 60)
    hot = clients.work("hot", count=HOT_CLIENTS, size=1, seconds=seconds)
    console.print("The replica's lag …")
    lag = replica_lag(bank, seconds=_given("LAG_SECONDS", 30))
    console.print("The router …")
    router = router_costs(bank)
    console.print("Killing coordinators …")
    settling = settling_seconds(bank, kills=_given("KILLS", 204))
    return Others(
        hot_rate=hot.rate,
        hot_busy=hot.busy,
        longest_stall=max(later - earlier for earlier, later in pairwise(hot.instants)),
        lag=lag,
        router=router,
        settling=settling,
    )


def _print_tables(results: Results, others: Others, rounds: int, seconds: int) -> None:
    console = Console(width=100)
    table = Table(title=f"Transfers a second: medians of {rounds} rounds, {seconds} s each")
    for heading in ("load", "one node", "two nodes", "ratio"):
        table.add_column(heading, justify="left" if heading == "load" else "right")
    for local in (load for load in results.rates if load.startswith("local")):
        cross = local.replace("local", "cross")
        rates = (f"{results.median(load):,.0f}" for load in (local, cross))
        table.add_row(local.removeprefix("local_"), *rates, f"{results.ratio(cross, local):.2f}")
    console.print(table)
    stalled = " (TOO LONG)" if others.longest_stall > MOST_STALL_SECONDS else ""
    console.print(
        f"Two hot accounts, {HOT_CLIENTS} clients: {others.hot_rate:,.0f} a second, "
        f"busy {others.hot_busy} times, longest stall {others.longest_stall:.2f} s{stalled}\n"
        f"Replica: {others.lag.transfers_per_second:,.0f} transfers a second, visible after "
        f"p50 {others.lag.p50_ms:.1f} ms, p99 {others.lag.p99_ms:.1f} ms "
        f"(an empty query meanwhile: p99 {others.lag.empty_p99_ms:.1f} ms)\n"
        f"Router: a read costs {others.router['read_us']:,.0f} µs more, "
        f"a write {others.router['write_us']:,.0f} µs\n"
        f"Killed coordinators: {len(others.settling)}, settled after "
        f"p50 {_percentile(others.settling, 50):.2f} s, "
        f"p99 {_percentile(others.settling, 99):.2f} s"
    )


def _answer(results: Results, others: Others) -> dict[str, Any]:
    ratios = {
        "two_phase_c8_vs_local": results.ratio("cross_c8", "local_c8"),
        "batch_1000_vs_local_single": results.ratio("cross_batch_1000", "local_c8"),
    }
    return {
        "name": "branches",
        "ratios": {name: round(ratio, 2) for name, ratio in ratios.items()},
        "figures": {
            "replica_lag_p99_ms": round(others.lag.p99_ms, 1),
            "settle_p99_ms": round(_percentile(others.settling, 99) * 1000),
        },
    }


def _percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


if __name__ == "__main__":
    sys.exit(main())
