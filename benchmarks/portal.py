"""What customers' pages cost: the overview, and the statement of an account of 100,000 movements.

`make bench NAME=portal`; ROUNDS and SECONDS change how often and how long each page is asked for.
The bank is served as `make run` serves it. CPU is the web server's, of all its processes; queries
are counted in PostgreSQL's own log, once everything is measured. The first load is the overview
and what it names, as a browser that knows nothing gets it.
"""

import gzip
import json
import os
import re
import secrets
import statistics
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg
from rich.console import Console
from rich.table import Table

from bankproject.runtime import valkey
from bankproject.runtime.ports import first_free
from bankproject.runtime.programs import pages_command
from benchmarks._http_load import run_load
from tests.proofs._bank import OwnBank, own_bank

BOUNDS: Final = {
    "dashboard_cpu_ms": 40,
    "statement_cpu_ms": 40,
    "dashboard_queries": 6,
    "statement_queries": 6,
    "deep_page_ratio": 1.5,
}
_START_SECONDS: Final = 30
_WARM_SECONDS: Final = 1
_NAMED: Final = re.compile(r'(?:href|src)="(/static/[^"]+)"')
_QUERY: Final = re.compile(r"\[(\d+)\] .*LOG:  (?:statement|execute [^:]+): ")
_PAGES: Final = ("dashboard", "statement", "deep page")


@dataclass
class Browser:
    """A browser that somebody is logged in with, and the server that it asks."""

    port: int
    server: psutil.Popen
    cookie: str
    paths: Mapping[str, str]

    def get(self, path: str) -> bytes:
        """Return what is at a path, as it is sent."""
        headers = {"Cookie": f"sessionid={self.cookie}", "Accept-Encoding": "gzip"}
        request = urllib.request.Request(  # our own server
            f"http://127.0.0.1:{self.port}{path}", headers=headers
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310  # our own server
            body: bytes = answer.read()
            is_packed = answer.headers.get("Content-Encoding") == "gzip"
        return gzip.decompress(body) if is_packed else body

    def measure(self, page: str, seconds: float) -> tuple[float, float]:
        """Ask for a page again and again; return the CPU and the time of one, in milliseconds."""
        head = f"GET {self.paths[page]} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        sent = f"{head}Cookie: sessionid={self.cookie}\r\n\r\n".encode()
        before = self._cpu_seconds()
        load = run_load(self.port, lambda _number: sent, connections=1, seconds=seconds)
        cpu = (self._cpu_seconds() - before) / len(load.waits)
        return cpu * 1_000, load.percentile(0.5) * 1_000

    def _cpu_seconds(self) -> float:
        family = [self.server, *self.server.children(recursive=True)]
        return sum(sum(one.cpu_times()[:2]) for one in family)


def main() -> int:
    """Measure, print a table and a last line of JSON; 1 where a bound or the books fail."""
    rounds, seconds = (int(os.environ.get(name, "5")) for name in ("ROUNDS", "SECONDS"))
    console = Console(stderr=True)
    console.print("Letting 100,000 movements happen …")
    with own_bank() as bank, ExitStack() as stack:
        browser = _browser(bank, stack)
        samples = _samples(browser, rounds, seconds)
        queries = {page: _queries(bank, browser, page) for page in ("dashboard", "statement")}
        first_load = _first_load(browser)
        wrong = bank.check_books()
    figures = _figures(samples, queries, first_load)
    _print_table(samples, figures)
    print(wrong or "The books prove.")
    print(json.dumps({"name": "portal", "figures": figures}))
    return int(bool(wrong) or any(figures[name] > bound for name, bound in BOUNDS.items()))


def _samples(browser: Browser, rounds: int, seconds: int) -> dict[str, list[tuple[float, float]]]:
    """Return CPU and time of each page, in turns, once all are warm."""
    for page in _PAGES:
        browser.measure(page, _WARM_SECONDS)
    found: dict[str, list[tuple[float, float]]] = {page: [] for page in _PAGES}
    for _round in range(rounds):
        for page in _PAGES:
            found[page].append(browser.measure(page, seconds))
    return found


def _browser(bank: OwnBank, stack: ExitStack) -> Browser:
    """Open the accounts, start the bank, and log in."""
    environment = {
        **bank.environment,
        "DJANGO_SETTINGS_MODULE": "bankproject.settings.dev",
        "REDIS_URL": stack.enter_context(_broker(Path(bank.environment["BANK_VAR"]))),
    }
    opening = [sys.executable, "-m", "benchmarks._portal_bank"]
    opened = subprocess.run(opening, env=environment, check=True, stdout=subprocess.PIPE)
    found = json.loads(opened.stdout.splitlines()[-1])
    port = first_free(31_500)
    statement = f"/accounts/{found['number']}/"
    return Browser(
        port=port,
        server=stack.enter_context(_server(environment, port)),
        cookie=found["cookie"],
        paths={
            "dashboard": "/",
            "statement": statement,
            "deep page": f"{statement}?before={found['deep']}",
        },
    )


@contextmanager
def _server(environment: Mapping[str, str], port: int) -> Iterator[psutil.Popen]:
    command = pages_command("bankproject.wsgi", f"127.0.0.1:{port}")
    log = Path(environment["BANK_VAR"]).with_name("web.log")
    with log.open("w", encoding="utf-8") as said:
        process = psutil.Popen(command, env=dict(environment), stdout=said, stderr=said)
    try:
        _wait_for(port, process, log)
        yield process
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: psutil.Popen, log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health")
        except OSError:
            time.sleep(0.1)
        else:
            return
    message = f"the server does not start: {log.read_text(encoding='utf-8')}"
    raise RuntimeError(message)


@contextmanager
def _broker(var: Path) -> Iterator[str]:
    broker = valkey.Valkey(
        binary=valkey.embedded(),
        folder=var.with_name("valkey"),
        port=first_free(30_600),
        password=secrets.token_hex(8),
    )
    running = broker.start()
    try:
        yield broker.url
    finally:
        running.terminate()
        running.wait()


def _queries(bank: OwnBank, browser: Browser, page: str) -> int:
    """Count the queries of a page that follows another one, by the server's log."""
    log = bank.cluster.folder / "server.log"
    with psycopg.connect(bank.superuser_url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET log_statement = 'all'")
        connection.execute("SELECT pg_reload_conf()")
        time.sleep(0.5)
        # Both workers remember the names by then.
        for _ in range(4):
            browser.get(browser.paths[page])
        counts = []
        for _ in range(5):
            before = log.stat().st_size
            browser.get(browser.paths[page])
            time.sleep(0.2)
            written = log.read_bytes()[before:].decode(errors="replace")
            # Of the connection that asked most: others look after the registry, second by second.
            ((_process, count),) = Counter(_QUERY.findall(written)).most_common(1)
            counts.append(count)
        connection.execute("ALTER SYSTEM RESET log_statement")
        connection.execute("SELECT pg_reload_conf()")
    return int(statistics.median(counts))


def _first_load(browser: Browser) -> float:
    """Return the kilobytes of the overview and of the files it names, compressed."""
    page = browser.get("/")
    files = [browser.get(path) for path in sorted({*_NAMED.findall(page.decode())})]
    return sum(len(gzip.compress(one)) for one in (page, *files)) / 1_000


def _figures(
    samples: Mapping[str, list[tuple[float, float]]], queries: Mapping[str, int], first_load: float
) -> dict[str, Any]:
    def median(page: str, which: int) -> float:
        return statistics.median(sample[which] for sample in samples[page])

    pairs = zip(samples["deep page"], samples["statement"], strict=True)
    ratios = [deep[1] / first[1] for deep, first in pairs]
    return {
        "dashboard_cpu_ms": round(median("dashboard", 0), 1),
        "statement_cpu_ms": round(median("statement", 0), 1),
        "dashboard_queries": queries["dashboard"],
        "statement_queries": queries["statement"],
        "deep_page_ratio": round(statistics.median(ratios), 2),
        "first_load_kb": round(first_load, 1),
        "dashboard_p50_ms": round(median("dashboard", 1), 1),
        "statement_p50_ms": round(median("statement", 1), 1),
    }


def _print_table(
    samples: Mapping[str, list[tuple[float, float]]], figures: Mapping[str, Any]
) -> None:
    table = Table(title="Medians")
    for heading in ("page", "CPU ms", "p50 ms"):
        table.add_column(heading, justify="left" if heading == "page" else "right")
    for page, found in samples.items():
        cells = (f"{statistics.median(one[which] for one in found):.1f}" for which in (0, 1))
        table.add_row(page, *cells)
    console = Console(width=100)
    console.print(table)
    for name, bound in BOUNDS.items():
        console.print(f"{name} {figures[name]}, at most {bound}")


if __name__ == "__main__":
    sys.exit(main())
