"""One transfer, sent many times at once by one key to several web workers."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from allauth.account.models import EmailAddress

from tests.factories import account, person
from transactions.ledger.reads import balances, entries

PASSWORD: Final = "correct horse battery staple"
KEY: Final = "one-key"
_MOST_TRIES: Final = 50
_SECONDS: Final = 120


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What came of it: how often each status was answered, the ids told, and what was posted."""

    answers: Counter[str]
    ids: frozenset[str]
    posted: int
    balance: int

    def faults(self, *, times: int) -> list[str]:
        """Return what is not as one posting and its replays are."""
        answers = {answer: count for answer, count in self.answers.items() if answer != "503"}
        found = {"posted": self.posted, "ids": len(self.ids), "balance": self.balance, **answers}
        expected = {"posted": 1, "ids": 1, "balance": 7_500, "201": 1, "201 replayed": times - 1}
        return [] if found == expected else [f"expected {expected}, found {found}"]


def send_once_many_times(address: str, *, times: int) -> Sent:
    """Send one transfer of a new customer of the bank served at an address many times at once.

    Who finds the bank busy sends again, as the answer says.
    """
    asha = person()
    EmailAddress.objects.create(user=asha, email=asha.email, verified=True, primary=True)
    payer, payee = account(balance=10_000, owner=asha), account()
    body = {"debit_account": str(payer), "credit_account": str(payee)}
    body |= {"amount": "25.00", "currency": "INR"}
    answers, ids = asyncio.run(_race(address, _log_in(address, asha.email), body, times))
    return Sent(
        answers=answers,
        ids=ids,
        posted=len(entries(payee)),
        balance=balances([payer])[0].balance,
    )


def _log_in(address: str, email: str | None) -> str:
    body = json.dumps({"email": email, "password": PASSWORD}).encode()
    headers = {"Content-Type": "application/json"}
    asked = Request(f"{address}/api/v1/auth/login", data=body, headers=headers)  # noqa: S310  # our own server
    with urlopen(asked) as answer:  # noqa: S310  # our own server
        token: str = json.load(answer)["access_token"]
    return token


async def _race(
    address: str, token: str, body: dict[str, str], times: int
) -> tuple[Counter[str], frozenset[str]]:
    """Send; no request goes out before all connections stand."""
    where, content = urlsplit(address), json.dumps(body)
    request = (
        f"POST /api/v1/transfers HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\n"
        f"Authorization: Bearer {token}\r\nIdempotency-Key: {KEY}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n{content}"
    ).encode()
    standing, answers, ids = asyncio.Barrier(times), Counter[str](), set[str]()

    async def send() -> None:
        is_first = True
        for _try in range(_MOST_TRIES):
            reader, writer = await asyncio.open_connection(where.hostname, where.port)
            if is_first:
                await standing.wait()
            is_first = False
            writer.write(request)
            head, _, rest = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            status, replayed, answer = _read(head, rest)
            answers[f"{status} replayed" if replayed else str(status)] += 1
            if status != 503:
                ids.add(answer.get("id", ""))
                return

    async with asyncio.timeout(_SECONDS):
        await asyncio.gather(*[send() for _each in range(times)])
    return answers, frozenset(ids)


def _read(head: bytes, body: bytes) -> tuple[int, bool, dict[str, Any]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), "idempotency-replayed" in headers, json.loads(body)
