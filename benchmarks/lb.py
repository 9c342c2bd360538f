"""The balancer against HAProxy and nginx, in turns, before backends that sleep.

`make bench NAME=lb`; ROUNDS, SECONDS and WARM_UP change how often and how long, RATE how many
requests a second come to the scenarios. Each proxy is one process or thread, started anew for each
turn. Throughput is compared by the processor's time of one request: what sends the load here does
not keep HAProxy busy. Latency is of open-loop load.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks._http_load import run_load
from benchmarks._lb_load import Outcome, open_load
from benchmarks._lb_proxies import (
    PLACES,
    Backends,
    Proxy,
    backends,
    haproxy,
    leave,
    missing,
    nginx,
    ours,
)
from lb.snapshot import State

BOUNDS: Final = {
    "throughput_vs_haproxy": 0.65,
    "slow_p99_vs_leastconn": 0.3,
    "share_after_recovery": 0.8,
}
_CONNECTIONS: Final = 32
_SICK: Final = 1
_RECOVERY_SECONDS: Final = 15.0
_REQUEST: Final = b"GET /accounts HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_PROXIES: Final[dict[str, Callable[[Backends, Path], AbstractContextManager[Proxy]]]] = {
    "ours": ours,
    "haproxy": haproxy,
    "nginx": nginx,
}


def _given(name: str, default: float) -> float:
    return float(os.environ.get(name, default))


@dataclass
class Bench:
    """What is measured, and with how much of it."""

    behind: Backends
    folder: Path
    seconds: float = field(default_factory=lambda: _given("SECONDS", 10))
    warm_up: float = field(default_factory=lambda: _given("WARM_UP", 15))
    rate: float = field(default_factory=lambda: _given("RATE", 700))
    found: dict[str, list[float]] = field(default_factory=dict)

    def note(self, name: str, figure: float) -> None:
        """Keep one figure of one round."""
        self.found.setdefault(name, []).append(figure)

    def median(self, name: str) -> float:
        """Return the middle of the rounds."""
        return statistics.median(self.found[name])

    def round(self) -> None:
        """Measure everything once, the proxies in turns."""
        for scenario in (self._small, self._slow, self._black_hole, self._homogeneous):
            for name in _PROXIES:
                with self._proxy(name) as proxy:
                    scenario(name, proxy)
        with self._proxy("ours") as proxy:
            self._deregister(proxy)

    @contextmanager
    def _proxy(self, name: str) -> Iterator[Proxy]:
        self.behind.all_do("usual")
        with _PROXIES[name](self.behind, self.folder) as proxy:
            yield proxy
        self.behind.all_do("usual")

    def _small(self, name: str, proxy: Proxy) -> None:
        """Small requests at once, from a few connections: the processor's time of each."""
        self.behind.all_do("quick")
        self._closed(proxy.port, min(2.0, self.warm_up))
        before = proxy.cpu_seconds()
        load = run_load(
            proxy.port, lambda _: _REQUEST, connections=_CONNECTIONS, seconds=self.seconds
        )
        self.note(f"{name} cpu us", 1e6 * (proxy.cpu_seconds() - before) / len(load.waits))
        self.note(f"{name} req/s", load.rate)
        alone = self._closed(proxy.port, 1.0)
        self.note(f"{name} overhead us", 1e6 * (alone - self._closed(self.behind.ports[0], 1.0)))

    def _closed(self, port: int, seconds: float) -> float:
        """Return the seconds of the middle request, one after the other."""
        load = run_load(port, lambda _: _REQUEST, connections=1, seconds=seconds)
        return load.percentile(0.5)

    def _homogeneous(self, name: str, proxy: Proxy) -> None:
        found = self._open(proxy)
        self.note(f"{name} p99 ms", 1000 * found.percentile(0.99))

    def _slow(self, name: str, proxy: Proxy) -> None:
        """One of four takes ten times as long; then it is well again."""
        self.behind.do(_SICK, "slow")
        found = self._open(proxy)
        self.note(f"{name} slow p99 ms", 1000 * found.percentile(0.99))
        self.behind.do(_SICK, "usual")
        open_load(proxy.port, rate=self.rate, seconds=_RECOVERY_SECONDS)
        after = open_load(proxy.port, rate=self.rate, seconds=self.seconds)
        share = after.by_backend[f"b{_SICK}"] / max(1, after.by_backend.total())
        self.note(f"{name} share", PLACES * share)

    def _black_hole(self, name: str, proxy: Proxy) -> None:
        """One of four fails at once, and its checks say that it is well."""
        open_load(proxy.port, rate=self.rate, seconds=self.warm_up)
        self.behind.do(_SICK, "failing")
        found = open_load(proxy.port, rate=self.rate, seconds=self.seconds)
        self.note(f"{name} errors %", found.failed_percent)

    def _deregister(self, proxy: Proxy) -> None:
        """A backend drains and leaves under load."""
        leaving = Thread(target=self._leave, args=(proxy,))
        leaving.start()
        found = open_load(proxy.port, rate=self.rate, seconds=max(self.seconds, 6.0))
        leaving.join()
        self.note("failed on deregister", found.failed)

    def _leave(self, proxy: Proxy) -> None:
        time.sleep(1)
        leave(proxy, self.behind, _SICK, version=2, state=State.DRAINING)
        time.sleep(2)
        leave(proxy, self.behind, _SICK, version=3, state=None)

    def _open(self, proxy: Proxy) -> Outcome:
        open_load(proxy.port, rate=self.rate, seconds=self.warm_up)
        return open_load(proxy.port, rate=self.rate, seconds=self.seconds)


def main() -> int:
    """Measure, print a table and a last line of JSON."""
    if missing():
        print(f"Not on this machine: {', '.join(missing())}", file=sys.stderr)
        return 1
    rounds = int(_given("ROUNDS", 5))
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as name, backends(Path(name)) as behind:
        bench = Bench(behind, Path(name))
        for number in range(rounds):
            console.print(f"Round {number + 1} of {rounds} …")
            bench.round()
    _print_table(bench, rounds)
    print(json.dumps(_answer(bench)))
    return 0


def _print_table(bench: Bench, rounds: int) -> None:
    table = Table(title=f"Medians of {rounds} rounds, {bench.seconds:g} s each")
    for heading in ("figure", *_PROXIES):
        table.add_column(heading, justify="left" if heading == "figure" else "right")
    for figure in (
        *("req/s", "cpu us", "overhead us", "p99 ms"),
        *("slow p99 ms", "share", "errors %"),
    ):
        medians = (bench.median(f"{proxy} {figure}") for proxy in _PROXIES)
        table.add_row(figure, *(f"{median:,.2f}" for median in medians))
    console = Console(width=100)
    console.print(table)
    for name, ratio in _ratios(bench).items():
        console.print(f"{name} {ratio:.2f}, bound {BOUNDS[name]}")


def _ratios(bench: Bench) -> dict[str, float]:
    return {
        "throughput_vs_haproxy": bench.median("haproxy cpu us") / bench.median("ours cpu us"),
        "slow_p99_vs_leastconn": bench.median("ours slow p99 ms")
        / bench.median("haproxy slow p99 ms"),
        "share_after_recovery": bench.median("ours share"),
    }


def _answer(bench: Bench) -> dict[str, Any]:
    return {
        "name": "lb",
        "ratios": {name: round(ratio, 3) for name, ratio in _ratios(bench).items()},
        "figures": {
            "blackhole_error_pct": round(bench.median("ours errors %"), 3),
            "failed_on_deregister": max(bench.found["failed on deregister"]),
            "overhead_p50_us": round(bench.median("ours overhead us")),
            **{
                name.replace(" ", "_").replace("%", "pct").replace("/", "_per_"): round(
                    bench.median(name), 3
                )
                for name in bench.found
            },
        },
    }


if __name__ == "__main__":
    sys.exit(main())
