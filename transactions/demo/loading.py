"""Make the demo bank: people who can log in, their accounts, and what happened on them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.models import Branch, Product, Role, User
from accounts.services import add_person
from core.clock import bank_day
from core.money import Money
from transactions.chart import BankAccounts, open_chart
from transactions.demo.people import STAFF, Persona, email_of, make_people
from transactions.demo.story import Happening, Holder, Side, tell
from transactions.ledger.posting import BANK_CLIENT, Channel, Order, Transfer, post_batch
from transactions.services import open_customer_account

PASSWORD: Final = "welcome to the demo bank"  # noqa: S105  # everybody may know it
SEED: Final = 20_251
_BRANCH: Final = 100
_CHUNK: Final = 2_000
_REFERENCE: Final = "demo"


class DemoBrokenError(Exception):
    """The ledger refused a transfer of the demo's story."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who can log in to the demo, with the one password of all."""

    role: str
    name: str
    email: str


def load_demo(*, now: datetime, report: Callable[[int, int], None]) -> int:
    """Make the demo bank and return its number of transfers; 0 when it is there already.

    One transaction: killed at any instant, nothing is left, and the next call makes it. ``report``
    is told how many transfers are posted, of how many.
    """
    with transaction.atomic():
        branch = _branch()
        if User.objects.filter(external_reference=f"{_REFERENCE}:0").exists():
            return 0
        random = Random(SEED)  # noqa: S311  # a story, not a secret
        people = make_people(random)
        zone = ZoneInfo(settings.BANK_TIME_ZONE)
        story = tell(random, people, now=now, zone=zone)
        numbers = _Numbers(_bring_in(people, branch, story[0].at), _charts(people))
        _post(story, numbers, now=now, report=report)
        return len(story)


def logins() -> list[Login]:
    """Return who can log in, staff first."""
    people = User.objects.filter(external_reference__startswith=f"{_REFERENCE}:").order_by("pk")
    return sorted(
        (Login(user.role, user.full_name, user.email or "") for user in people),
        key=lambda login: login.role == Role.CUSTOMER,
    )


def _branch() -> Branch:
    """Return the demo's branch, locked: of two that load at once, one waits and finds it done."""
    Branch.objects.get_or_create(code="HO", defaults={"number": _BRANCH, "name": "Head office"})
    return Branch.objects.select_for_update().get(code="HO")


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Account numbers of the two kinds of sides."""

    held: dict[Holder, int]
    charts: dict[str, BankAccounts]

    def of(self, side: Side) -> int:
        if isinstance(side, Holder):
            return self.held[side]
        return self.charts[side.currency].number(side.place)


def _charts(people: Sequence[Persona]) -> dict[str, BankAccounts]:
    currencies = dict.fromkeys(person.currency for person in people)
    return {name: open_chart(branch=_BRANCH, currency=name) for name in currencies}


def _bring_in(people: Sequence[Persona], branch: Branch, at: datetime) -> dict[Holder, int]:
    """Create the people and open their accounts; staff has none."""
    # Hashing is slow on purpose; one hash does for all, since all know the password.
    password = make_password(PASSWORD)
    numbers = {}
    for place, person in enumerate(people):
        user = add_person(
            email=person.email,
            full_name=person.name,
            role=Role.CUSTOMER,
            password_hash=password,
            external_reference=f"{_REFERENCE}:{place}",
        )
        for product in Product if person.saves else (Product.CURRENT,):
            account = open_customer_account(
                owner=user,
                branch=branch,
                product=product,
                currency=person.currency,
                now=at,
                client=BANK_CLIENT,
            )
            numbers[Holder(place, product)] = account.number
    for name, role in STAFF:
        add_person(
            email=email_of(name),
            full_name=name,
            role=Role(role),
            password_hash=password,
            external_reference=f"{_REFERENCE}:{role}:{name}",
        )
    return numbers


def _post(
    story: Sequence[Happening],
    numbers: _Numbers,
    *,
    now: datetime,
    report: Callable[[int, int], None],
) -> None:
    # History counts against nobody's limit of today.
    yesterday = bank_day(now) - timedelta(days=1)
    order = Order(client=BANK_CLIENT, channel=Channel.IMPORT, day=yesterday, key=None)
    posted = 0
    for chunk in _chunks(story):
        transfers = [
            Transfer(
                numbers.of(one.debit),
                numbers.of(one.credit),
                Money(one.amount, one.currency),
                kind=one.kind,
                memo=one.memo,
                event_at=one.at,
            )
            for one in chunk
        ]
        receipt = post_batch(transfers, order=order)
        for item, code in receipt.refusals.items():
            message = f"{chunk[item]}: {code.name.lower()}"
            raise DemoBrokenError(message)
        posted += len(chunk)
        report(posted, len(story))


def _chunks(story: Sequence[Happening]) -> Iterator[list[Happening]]:
    rest = iter(story)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
