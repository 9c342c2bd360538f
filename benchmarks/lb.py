"""The balancer against HAProxy and nginx, in turns, before backends that sleep.

`make bench NAME=lb` takes less than 20 minutes. FULL=1 measures every policy, and all that
can happen to backends, once, in about an hour. ROUNDS, SECONDS and WARM_UP change how often and
how long, RATE how many requests a second come. Each proxy is one process or thread, started anew
for each turn. Throughput is compared by the processor's time of one request: what sends the load
here does not keep HAProxy busy. Latency is of open-loop load.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
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
from benchmarks._lb_scenarios import SCENARIOS, SHORT, SICK, Scenario
from lb.snapshot import Policy, State

BOUNDS: Final = {
    "throughput_vs_haproxy": 0.65,
    "slow_p99_vs_leastconn": 0.3,
    "share_after_recovery": 0.8,
}
_CONNECTIONS: Final = 32
_RECOVERY_SECONDS: Final = 15.0
_REQUEST: Final = b"GET /accounts HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
OURS: Final = "ours"
_Start = Callable[[Backends, Path], AbstractContextManager[Proxy]]
_PROXIES: Final[Mapping[str, _Start]] = {OURS: ours, "haproxy": haproxy, "nginx": nginx}
_MORE: Final[Mapping[str, _Start]] = {
    **{one.value: partial(ours, policy=one) for one in Policy if one is not Policy.HYBRID},
    "haproxy random": partial(haproxy, policy="random(2)"),
}
IS_FULL: Final = os.environ.get("FULL") == "1"


def _given(name: str, default: float) -> float:
    return float(os.environ.get(name, default))


@dataclass
class Bench:
    """What is measured, and with how much of it."""

    behind: Backends
    folder: Path
    proxies: Mapping[str, _Start] = field(
        default_factory=lambda: {**_PROXIES, **_MORE} if IS_FULL else _PROXIES
    )
    seconds: float = field(default_factory=lambda: _given("SECONDS", 20 if IS_FULL else 8))
    warm_up: float = field(default_factory=lambda: _given("WARM_UP", 10))
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
        for name in self.proxies:
            with self._proxy(name) as proxy:
                self._small(name, proxy)
        for scenario in SCENARIOS if IS_FULL else SHORT:
            for name in self.proxies:
                with self._proxy(name) as proxy:
                    self._play(scenario, name, proxy)
        with self._proxy(OURS) as proxy:
            self._deregister(proxy)

    @contextmanager
    def _proxy(self, name: str) -> Iterator[Proxy]:
        self.behind.all_do("usual")
        with self.proxies[name](self.behind, self.folder) as proxy:
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

    def _play(self, title: str, name: str, proxy: Proxy) -> None:
        """Let something happen to backends under load, and see what clients notice."""
        scenario = SCENARIOS[title]
        scenario.all_do(self.behind, scenario.before)
        self._load(proxy, self.warm_up)
        with scenario.played(self.behind, self.seconds):
            found = self._load(proxy, self.seconds)
        self.note(f"{name} {title} p99 ms", 1000 * found.percentile(0.99))
        self.note(f"{name} {title} errors %", found.failed_percent)
        if scenario.heals and (name == OURS or IS_FULL):
            self._heal(scenario, f"{name} {title} share", proxy)

    def _heal(self, scenario: Scenario, figure: str, proxy: Proxy) -> None:
        """Note which part of its fair share a backend has 15 seconds after it is well again."""
        scenario.all_do(self.behind, "usual")
        self._load(proxy, _RECOVERY_SECONDS)
        after = self._load(proxy, self.seconds)
        share = after.by_backend[f"b{SICK}"] / max(1, after.by_backend.total())
        self.note(figure, PLACES * share)

    def _load(self, proxy: Proxy, seconds: float) -> Outcome:
        return open_load(proxy.port, rate=self.rate, seconds=seconds)

    def _deregister(self, proxy: Proxy) -> None:
        """A backend drains, leaves, and comes again under load; then nobody says what to do."""
        leaving = Thread(target=self._leave, args=(proxy,))
        leaving.start()
        found = self._load(proxy, max(self.seconds, 8.0))
        leaving.join()
        self.note("failed on deregister", found.failed)

    def _leave(self, proxy: Proxy) -> None:
        time.sleep(1)
        leave(proxy, self.behind, SICK, version=2, state=State.DRAINING)
        time.sleep(2)
        leave(proxy, self.behind, SICK, version=3, state=None)
        time.sleep(2)
        leave(proxy, self.behind, SICK, version=4, state=State.READY)
        time.sleep(2)
        if proxy.snapshot is not None:
            proxy.snapshot.unlink()


def main() -> int:
    """Measure, print a table and a last line of JSON."""
    if missing():
        print(f"Not on this machine: {', '.join(missing())}", file=sys.stderr)
        return 1
    rounds = int(_given("ROUNDS", 1 if IS_FULL else 5))
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
    for heading in ("figure", *bench.proxies):
        table.add_column(heading, justify="left" if heading == "figure" else "right")
    played = [f"{title} {what}" for title in SCENARIOS for what in ("p99 ms", "errors %", "share")]
    for figure in ("req/s", "cpu us", "overhead us", *played):
        row = [_shown(bench, f"{proxy} {figure}") for proxy in bench.proxies]
        if any(row):
            table.add_row(figure, *row)
    console = Console(width=100)
    console.print(table)
    for name, ratio in _ratios(bench).items():
        console.print(f"{name} {ratio:.2f}, bound {BOUNDS[name]}")


def _shown(bench: Bench, name: str) -> str:
    return f"{bench.median(name):,.2f}" if name in bench.found else ""


def _ratios(bench: Bench) -> dict[str, float]:
    return {
        "throughput_vs_haproxy": bench.median("haproxy cpu us") / bench.median("ours cpu us"),
        "slow_p99_vs_leastconn": bench.median("ours slow p99 ms")
        / bench.median("haproxy slow p99 ms"),
        "share_after_recovery": min(bench.median(f"{OURS} {title} share") for title in SHORT),
    }


def _answer(bench: Bench) -> dict[str, Any]:
    return {
        "name": "lb",
        "ratios": {name: round(ratio, 3) for name, ratio in _ratios(bench).items()},
        "figures": {
            "blackhole_error_pct": round(bench.median("ours black hole errors %"), 3),
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
