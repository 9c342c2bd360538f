"""People who send money from branch to branch while containers are restarted under them."""

import http.client
import json
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from tests.restarting import PASSWORD

# Who pays whom through which door, from Mumbai to Delhi.
PAIRS: Final = {
    "lb": ("imran.shaikh@demo.example", "aditya.banerjee@demo.example"),
    "haproxy": ("karthik.reddy@demo.example", "farah.khan@demo.example"),
}
SECONDS: Final = 30.0
_PATIENCE: Final = 120.0


@dataclass(frozen=True, kw_only=True)
class Door:
    """Where the bank is reached, and the authority that its certificate must be signed by."""

    host: str
    port: int
    authority: Path

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        """Send one request by TLS.

        Raises:
            OSError, HTTPException: nobody answers, or not with a whole answer.
        """
        context = ssl.create_default_context(cafile=self.authority)
        connection = http.client.HTTPSConnection(
            self.host, self.port, timeout=SECONDS, context=context
        )
        try:
            text = None if body is None else json.dumps(body)
            # Who names a type is taken for a program, and told in JSON what a page would say.
            kind = {} if body is None else {"Content-Type": "application/json"}
            fields = {"Host": "localhost", **kind, **headers}
            connection.request(method, path, text, fields)
            answer = connection.getresponse()
            said = answer.read()
            is_json = "json" in answer.headers.get("Content-Type", "")
            return answer.status, json.loads(said) if is_json else said, answer.headers
        finally:
            connection.close()


@dataclass
class Customer:
    """Somebody of the demo with a token, and the account that has most."""

    door: Door
    email: str
    token: str = ""
    until: float = 0.0

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Ask the API; log in when the token is about to run out."""
        if time.monotonic() > self.until:
            words = {"email": self.email, "password": PASSWORD}
            status, said, _fields = self.door.ask("POST", "/api/v1/auth/login", words)
            if status != http.HTTPStatus.OK:
                return status, said
            self.token, self.until = said["access_token"], time.monotonic() + 200
        headers["Authorization"] = f"Bearer {self.token}"
        status, said, _fields = self.door.ask(method, f"/api/v1/{path}", body, **headers)
        return status, said

    def account(self) -> str:
        """Return the number of their account in rupees that has most."""
        _status, said = self.ask("GET", "accounts")
        mine = [one for one in said["accounts"] if one["currency"] == "INR"]
        return str(max(mine, key=lambda one: Decimal(one["balance"]))["number"])

    def balance(self, number: str) -> Decimal:
        """Return what one of their accounts has."""
        _status, said = self.ask("GET", f"accounts/{number}")
        return Decimal(said["balance"])


@dataclass
class Load:
    """Sends one rupee again and again until told to stop, each until it is answered.

    ``slowest`` is how many seconds one took until then.
    """

    payer: Customer
    payee: Customer
    answers: Counter[str] = field(default_factory=Counter)
    ids: list[str] = field(default_factory=list)
    slowest: float = 0.0
    debit: str = ""
    credit: str = ""
    before: Decimal = Decimal()
    unanswered: list[str] = field(default_factory=list)
    _ends: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self.debit, self.credit = self.payer.account(), self.payee.account()
        self.before = self.payee.balance(self.credit)
        self._thread = threading.Thread(target=self._go_on, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send what was begun until it is answered, and end."""
        self._ends.set()
        if self._thread:
            self._thread.join(timeout=180)

    def faults(self) -> list[str]:
        """Return in what the payee's account differs from what was answered."""
        got = self.payee.balance(self.credit) - self.before
        found = [f"{len(self.unanswered)} were never answered"] if self.unanswered else []
        if not len(self.ids) == len(set(self.ids)) == got:
            found.append(f"{len(self.ids)} were posted, {len(set(self.ids))} once, {got} came")
        return found

    def _go_on(self) -> None:
        while not self._ends.is_set():
            self._send(str(uuid4()))
            time.sleep(0.1)

    def _send(self, key: str) -> None:
        began = time.monotonic()
        while (taken := time.monotonic() - began) < _PATIENCE:
            answer = self._try(key)
            self.answers[answer] += 1
            if answer == "201":
                self.slowest = max(self.slowest, taken)
                return
            time.sleep(0.3)
        self.unanswered.append(key)

    def _try(self, key: str) -> str:
        body = {
            "debit_account": self.debit,
            "credit_account": self.credit,
            "amount": "1.00",
            "currency": "INR",
        }
        try:
            status, said = self.payer.ask("POST", "transfers", body, **{"Idempotency-Key": key})
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        if status == http.HTTPStatus.CREATED:
            self.ids.append(said["id"])
        # Whose answer it is: the bank's names its problem, a proxy's does not.
        return (
            f"{status} {said['code']}" if isinstance(said, dict) and "code" in said else str(status)
        )
