"""Restarts of a running bank's web workers while people pay: no request may fail."""

import http.client
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Event, Thread
from typing import Any, Final
from uuid import uuid4

import psutil
import psycopg

from bankproject.runtime.backend import NAME
from bankproject.runtime.programs import WEB_WORKERS
from tests.functional.runtime.terminal import Bank

PATIENCE: Final = 60.0
PASSWORD: Final = "welcome to the demo bank"  # everybody may know it
# Of the demo's head office, Mumbai and Delhi. Each pays the next: within a branch, or between two.
PEOPLE: Final = (
    *("asha.rao", "priya.nair", "imran.shaikh", "divya.menon", "aditya.banerjee"),
    *("lakshmi.pillai", "arjun.mehta", "karthik.reddy"),
)
WELL: Final = {"page 200", "transfer 201", "keyless 401", "log-in 200"}
"""Keyless: a transfer of nobody's. It is never sent twice, so no balancer can help it."""
EVERY_WORKER: Final = [NAME.format(number) for number in range(1, WEB_WORKERS + 1)]
_AMOUNT: Final = "0.01"
_MINOR: Final = 1
# A token lives for five minutes.
_TOKEN_SECONDS: Final = 200.0
_LOOK_SECONDS: Final = 0.1
_SENT: Final = """
SELECT id::text FROM ledger.journal WHERE debit = ANY(%s) AND memo = %s AND amount = %s
"""
_CAME: Final = """
SELECT count(*) FROM ledger.journal WHERE credit = ANY(%s) AND memo = %s AND amount = %s
"""


@dataclass
class Payer:
    """A customer of the demo at one connection; what comes of requests, by kind and status."""

    port: int
    name: str
    memo: str
    account: int = 0
    payee: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    ids: list[str] = field(default_factory=list)
    _token: str = ""
    _renewed_at: float = 0.0
    _web: http.client.HTTPConnection = field(init=False)

    def arrive(self) -> None:
        """Connect, log in, and choose the account in rupees that has most."""
        self._web = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        self._log_in()
        said = self._ask("accounts", "GET", "/api/v1/accounts", **self._known())
        mine = [one for one in said["accounts"] if one["currency"] == "INR"]
        self.account = int(max(mine, key=lambda one: Decimal(one["balance"]))["number"])
        self.outcomes.clear()

    def go_on(self, stop: Event, pause: float) -> None:
        """Look and pay, in turns, until the end."""
        while not stop.is_set():
            self._ask("page", "GET", "/auth/login/")
            if time.monotonic() > self._renewed_at + _TOKEN_SECONDS:
                self._log_in()
            self._pay()
            self._ask("keyless", "POST", "/api/v1/transfers")
            stop.wait(pause)
        self._web.close()

    def _log_in(self) -> None:
        words = {"email": f"{self.name}@demo.example", "password": PASSWORD}
        said = self._ask("log-in", "POST", "/api/v1/auth/login", words)
        self._token, self._renewed_at = said.get("access_token", ""), time.monotonic()

    def _pay(self) -> None:
        body = {
            "debit_account": str(self.account),
            "credit_account": str(self.payee),
            "amount": _AMOUNT,
            "currency": "INR",
            "memo": self.memo,
        }
        fields = {**self._known(), "Idempotency-Key": str(uuid4())}
        said = self._ask("transfer", "POST", "/api/v1/transfers", body, **fields)
        if "id" in said:
            self.ids.append(said["id"])

    def _known(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _ask(self, what: str, method: str, path: str, body: Any = None, **fields: str) -> Any:
        """Send one request; return what is answered in JSON, if anything."""
        # Who names a type is taken for a program.
        kind = {} if body is None else {"Content-Type": "application/json"}
        text = None if body is None else json.dumps(body)
        try:
            self._web.request(method, path, text, {"Host": "localhost", **kind, **fields})
            answer = self._web.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.outcomes[f"{what} {type(error).__name__}"] += 1
            self._web.close()
            return {}
        self.outcomes[f"{what} {answer.status}"] += 1
        return json.loads(said) if "json" in answer.headers.get("Content-Type", "") else {}


@dataclass(frozen=True, kw_only=True)
class Load:
    """Those who ask; each transfer of theirs has the memo."""

    payers: Sequence[Payer]
    memo: str

    @property
    def requests(self) -> int:
        """How many were answered or failed until now."""
        return sum(one.outcomes.total() for one in self.payers)

    @property
    def outcomes(self) -> Counter[str]:
        """What came of all requests, once nobody asks any more."""
        return sum((one.outcomes for one in self.payers), Counter())

    @property
    def failures(self) -> dict[str, int]:
        """What should never have come."""
        return {what: count for what, count in self.outcomes.items() if what not in WELL}


@contextmanager
def load(bank: Bank, *, clients: int, pause: float = 0.0) -> Iterator[Load]:
    """Pay by several customers of the demo for the length of the block."""
    memo, stop = f"restarts {uuid4()}", Event()
    payers = [Payer(bank.port, name, memo) for name in PEOPLE[:clients]]
    for one in payers:
        one.arrive()
    for one, payee in zip(payers, [*payers[1:], payers[0]], strict=True):
        one.payee = payee.account
    threads = [Thread(target=one.go_on, args=(stop, pause)) for one in payers]
    for thread in threads:
        thread.start()
    try:
        yield Load(payers=payers, memo=memo)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def book_faults(bank: Bank, paid: Load) -> list[str]:
    """Return in what the books differ from the answers, once all between branches has settled.

    Each transfer that was answered must be booked once, as it was asked for, and no other.
    """
    deadline = time.monotonic() + PATIENCE
    while (faults := _book_faults(bank, paid)) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    return faults


def _book_faults(bank: Bank, paid: Load) -> list[str]:
    answered = Counter(number for one in paid.payers for number in one.ids)
    sent, came = Counter[str](), 0
    what = [[one.account for one in paid.payers], paid.memo, _MINOR]
    for address in bank.primaries():
        with psycopg.connect(address) as node:
            sent.update(number for (number,) in node.execute(_SENT, what))
            came += sum(count for (count,) in node.execute(_CAME, what))
    counts = {
        "answered and not booked": (answered - sent).total(),
        "booked and not answered": (sent - answered).total(),
        "sent and not come": sent.total() - came,
    }
    return [f"{count} transfers {what}" for what, count in counts.items() if count]


def workers(bank: Bank) -> list[psutil.Process]:
    """Return the bank's web workers, the oldest first."""
    found = psutil.Process(bank.pid("web")).children()
    return sorted(found, key=lambda one: one.create_time())


def backends(bank: Bank) -> dict[str, str]:
    """Return which backends are given requests, and whether each is up."""
    web = http.client.HTTPConnection("127.0.0.1", bank.port, timeout=PATIENCE)
    try:
        web.request("GET", "/health", headers={"Host": "localhost"})
        return dict(json.loads(web.getresponse().read()).get("backends", {}))
    finally:
        web.close()


def wait_until_all_serve(bank: Bank, seconds: float = PATIENCE) -> None:
    """Return when every web worker is given requests."""
    deadline = time.monotonic() + seconds
    while True:
        found: dict[str, str] = {}
        with suppress(OSError, http.client.HTTPException, ValueError):
            found = backends(bank)
        if found == dict.fromkeys(EVERY_WORKER, "up"):
            return
        assert time.monotonic() < deadline, f"not all serve: {found}"
        time.sleep(_LOOK_SECONDS)


def restart(bank: Bank, *victims: psutil.Process) -> None:
    """End web workers as an operator would, and wait until those that follow serve."""
    for victim in victims:
        victim.terminate()
    _gone, alive = psutil.wait_procs(victims, PATIENCE)
    assert not alive, f"{alive} did not end"
    wait_until_all_serve(bank)
