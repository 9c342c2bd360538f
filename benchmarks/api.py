"""The API against bare handlers that call the same SQL, and against django-hordak, in turns.

`make bench NAME=api`; ROUNDS and SECONDS change how often and how long each load runs. The bank is
served as `make run` serves it, with everything on: authentication, rate limits, strict bodies,
idempotency, logs; hordak by the same server. The bare handler has two processes. All on one
PostgreSQL server; 16 connections, each of another person.
"""

import json
import os
import secrets
import socket
import statistics
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final

import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bankproject.runtime import valkey
from bankproject.runtime.ports import first_free
from bankproject.runtime.programs import pages_command
from benchmarks._api_bank import NUMBERS, PASSWORD, PAYEE_NUMBERS, PEOPLE, email_of
from benchmarks._hordak import hordak_database
from benchmarks._http_load import Load, NextRequest, run_load
from tests.proofs._bank import OwnBank, own_bank

BATCH: Final = 1_000
BATCH_CONNECTIONS: Final = 2
BOUNDS: Final = {"transfer_vs_bare": 0.55, "transfer_vs_hordak": 6.0, "read_vs_bare": 0.55}
_PAIRS: Final = {
    "transfer_vs_bare": ("transfer", "bare transfer"),
    "transfer_vs_hordak": ("transfer", "hordak transfer"),
    "read_vs_bare": ("statement", "bare statement"),
}
_START_SECONDS: Final = 30
_GRANIAN: Final = ("-m", "granian", "--interface", "asgi", "--workers", "2", "--no-ws")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One load once: answers a second, seconds of one answer, and the server's CPU for one."""

    rate: float
    p50: float
    p99: float
    cpu: float


@dataclass
class Server:
    """A web server of one of the three."""

    port: int
    process: psutil.Popen

    def run(self, following: NextRequest, *, connections: int, seconds: float) -> Sample:
        """Load it."""
        before = self._cpu_seconds()
        load: Load = run_load(self.port, following, connections=connections, seconds=seconds)
        return Sample(
            rate=load.rate,
            p50=load.percentile(0.5),
            p99=load.percentile(0.99),
            cpu=(self._cpu_seconds() - before) / len(load.waits),
        )

    def _cpu_seconds(self) -> float:
        family = [self.process, *self.process.children(recursive=True)]
        return sum(sum(one.cpu_times()[:2]) for one in family)


@dataclass
class Requests:
    """Makes requests: each transfer with a key of its own, from an account of the connection's."""

    tokens: list[str]
    dice: Random = field(default_factory=Random)
    _keys: Iterator[int] = field(default_factory=count)
    _run: str = field(default_factory=lambda: os.urandom(8).hex())

    def transfer(self, person: int) -> bytes:
        """Return a transfer to the bank's API."""
        return _post("/api/v1/transfers", self._transfer(person), self._headers(person))

    def batch(self, person: int) -> bytes:
        """Return a batch to the bank's API."""
        items = [self._transfer(person) for _ in range(BATCH)]
        return _post("/api/v1/transfer-batches", {"transfers": items}, self._headers(person))

    def statement(self, person: int) -> bytes:
        """Return a request of the first 50 rows of a statement."""
        path = f"/api/v1/accounts/{NUMBERS[person][0]}/statement"
        return _get(path, {"Authorization": f"Bearer {self.tokens[person]}"})

    def bare_transfer(self, person: int) -> bytes:
        """Return the same to the bare handler; the person's id is one more than the number."""
        headers = {"Idempotency-Key": self._key(), "X-Person": str(person + 1)}
        return _post("/transfers", self._transfer(person), headers)

    def bare_statement(self, person: int) -> bytes:
        """Return the same to the bare handler."""
        path = f"/accounts/{NUMBERS[person][0]}/statement"
        return _get(path, {"X-Person": str(person + 1)})

    def hordak_transfer(self, person: int) -> bytes:
        """Return the same to hordak."""
        return _post("/transfers", self._transfer(person), {})

    def _transfer(self, person: int) -> dict[str, str]:
        return {
            "debit_account": str(self.dice.choice(NUMBERS[person])),
            "credit_account": str(self.dice.choice(PAYEE_NUMBERS)),
            "amount": "1.25",
            "currency": "INR",
            "memo": "rent",
        }

    def _headers(self, person: int) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.tokens[person]}",
            "Idempotency-Key": self._key(),
        }

    def _key(self) -> str:
        return f"{self._run}-{next(self._keys)}"


def main() -> int:
    """Measure, print a table and a last line of JSON; 1 when the books do not prove."""
    rounds, seconds = _given("ROUNDS", 5), _given("SECONDS", 4)
    console = Console(stderr=True)
    console.print("Opening accounts, starting three web servers …")
    samples: dict[str, list[Sample]] = {}
    with own_bank() as bank, ExitStack() as stack:
        servers = _servers(bank, stack)
        requests = Requests([_log_in(servers["bank"], person) for person in range(PEOPLE)])
        turns = [turn for _ in range(rounds) for turn in _round(servers, requests)]
        for name, server, following, connections in track(turns, "Measuring", console=console):
            sample = server.run(following, connections=connections, seconds=seconds)
            samples.setdefault(name, []).append(sample)
        wrong = bank.check_books()
    _print_table(samples, rounds, seconds)
    print(wrong or "The books prove.")
    print(json.dumps(_answer(samples)))
    return int(bool(wrong))


def _given(name: str, default: int) -> int:
    return int(os.environ.get(name, default))


def _round(
    servers: Mapping[str, Server], requests: Requests
) -> list[tuple[str, Server, NextRequest, int]]:
    bank, bare, hordak = servers["bank"], servers["bare"], servers["hordak"]
    return [
        ("bare transfer", bare, requests.bare_transfer, PEOPLE),
        ("transfer", bank, requests.transfer, PEOPLE),
        ("hordak transfer", hordak, requests.hordak_transfer, PEOPLE),
        ("bare statement", bare, requests.bare_statement, PEOPLE),
        ("statement", bank, requests.statement, PEOPLE),
        ("batch", bank, requests.batch, BATCH_CONNECTIONS),
    ]


def _servers(bank: OwnBank, stack: ExitStack) -> dict[str, Server]:
    """Start the bank, the bare handlers and hordak, and all that they need."""
    environment = {
        **bank.environment,
        "DJANGO_SETTINGS_MODULE": "bankproject.settings.dev",
        "REDIS_URL": stack.enter_context(_broker(Path(bank.environment["BANK_VAR"]))),
        # Nobody's requests are refused: what is counted all the same costs the same.
        "API_RATE_LIMIT": "1000000000",
        "HORDAK_DATABASE_URL": hordak_database(bank),
    }
    for module in ("benchmarks._api_bank", "benchmarks._api_hordak"):
        opening = psutil.Popen([sys.executable, "-m", module], env=environment)
        if opening.wait() != 0:
            message = f"{module} fails"
            raise RuntimeError(message)
    return {
        name: stack.enter_context(_server(name, environment)) for name in ("bank", "bare", "hordak")
    }


@contextmanager
def _server(name: str, environment: Mapping[str, str]) -> Iterator[Server]:
    """Run one of the three; its log goes to a file, as the bank's does."""
    port = first_free(31_000)
    bound = f"127.0.0.1:{port}"
    commands = {
        "bank": pages_command("bankproject.wsgi", bound),
        "hordak": pages_command("benchmarks._api_hordak:application", bound),
        "bare": [
            *(sys.executable, *_GRANIAN),
            *("--host", "127.0.0.1", "--port", str(port)),
            "benchmarks._api_bare:application",
        ],
    }
    log = Path(environment["BANK_VAR"]).with_name(f"{name}.log")
    with log.open("w", encoding="utf-8") as said:
        process = psutil.Popen(commands[name], env=environment, stdout=said, stderr=said)
    try:
        _wait_for(port, process, log)
        yield Server(port, process)
    finally:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
        process.wait()


def _wait_for(port: int, process: psutil.Popen, log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    message = f"a server does not start: {log.read_text(encoding='utf-8')}"
    raise RuntimeError(message)


@contextmanager
def _broker(var: Path) -> Iterator[str]:
    folder = var.with_name("valkey")
    broker = valkey.Valkey(
        binary=valkey.embedded(),
        folder=folder,
        port=first_free(30_500),
        password=secrets.token_hex(8),
    )
    running = broker.start()
    try:
        yield broker.url
    finally:
        running.terminate()
        running.wait()


def _log_in(server: Server, person: int) -> str:
    body = json.dumps({"email": email_of(person), "password": PASSWORD}).encode()
    request = urllib.request.Request(  # our own server
        f"http://127.0.0.1:{server.port}/api/v1/auth/login",
        data=body,
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310  # our own server
        return str(json.load(answer)["access_token"])


def _post(path: str, body: Any, headers: Mapping[str, str]) -> bytes:
    data = json.dumps(body, separators=(",", ":")).encode()
    sent = {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}
    return _head("POST", path, sent) + data


def _get(path: str, headers: Mapping[str, str]) -> bytes:
    return _head("GET", path, headers)


def _head(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _ratio(samples: Mapping[str, list[Sample]], ours: str, theirs: str) -> float:
    """Return the median, over the rounds, of our rate by theirs."""
    pairs = zip(samples[ours], samples[theirs], strict=True)
    return statistics.median(one.rate / other.rate for one, other in pairs)


def _median(samples: list[Sample], of: str) -> float:
    return statistics.median(float(getattr(sample, of)) for sample in samples)


def _print_table(samples: Mapping[str, list[Sample]], rounds: int, seconds: int) -> None:
    table = Table(title=f"Medians of {rounds} rounds, {seconds} s each")
    for heading in ("load", "requests/s", "p50 ms", "p99 ms", "CPU ms each"):
        table.add_column(heading, justify="left" if heading == "load" else "right")
    for load, found in samples.items():
        table.add_row(
            load,
            f"{_median(found, 'rate'):,.0f}",
            *(f"{_median(found, of) * 1000:.2f}" for of in ("p50", "p99", "cpu")),
        )
    console = Console(width=100)
    console.print(table)
    for name, (ours, theirs) in _PAIRS.items():
        console.print(f"{name} {_ratio(samples, ours, theirs):.2f}, at least {BOUNDS[name]}")


def _answer(samples: Mapping[str, list[Sample]]) -> dict[str, Any]:
    return {
        "name": "api",
        "ratios": {name: round(_ratio(samples, *pair), 2) for name, pair in _PAIRS.items()},
        "figures": {
            "batch_transfers_per_s": round(_median(samples["batch"], "rate") * BATCH),
            **{
                f"{load.replace(' ', '_')}_{of}_ms": round(_median(found, of) * 1000, 2)
                for load, found in samples.items()
                for of in ("p50", "p99", "cpu")
            },
        },
    }


if __name__ == "__main__":
    sys.exit(main())
