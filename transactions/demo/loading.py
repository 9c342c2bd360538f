"""Make the demo bank: people who can log in, their accounts, and what happened on them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.models import Account, Branch, Product, Role, User
from accounts.numbers import account_number
from accounts.services import add_person
from core.clock import bank_day
from core.db.aliases import HEAD_OFFICE
from core.money import Money
from transactions.branches.agreement import copy_account
from transactions.branches.registry import nodes
from transactions.chart import BankAccounts, open_chart
from transactions.demo.cards import add_cards
from transactions.demo.disputes import add_disputes
from transactions.demo.people import Persona, make_people
from transactions.demo.promises import add_promises
from transactions.demo.staff import add_staff
from transactions.demo.story import Happening, Holder, Side, tell
from transactions.demo.terms import add_terms
from transactions.ledger.accounts import (
    Opening,
    Purpose,
    lock_imports,
    next_serial,
    open_account,
    set_holder,
)
from transactions.ledger.posting import BANK_CLIENT, Channel, Order, Transfer, post_batch

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """The demo's people of one branch, what happened to them, and the node of their accounts."""

    code: str
    branch: Branch
    node: str
    people: Sequence[Persona]
    story: Sequence[Happening]

    def reference(self, *parts: object) -> str:
        """Return under which reference a person or an account of this part is known."""
        return ":".join([_REFERENCE, self.code, *map(str, parts)])

    def accounts(self) -> Iterator[Holder]:
        """Yield the accounts that the people have."""
        for place, person in enumerate(self.people):
            for product in Product if person.saves else (Product.CURRENT,):
                yield Holder(place, product)


_terms: Final[list[Callable[[datetime], None]]] = []
_wishes: Final[list[Callable[[datetime], None]]] = []


def also_add_terms(add: Callable[[datetime], None]) -> None:
    """Have an app above add to the demo what it offers."""
    _terms.append(add)


def also_add_wishes(add: Callable[[datetime], None]) -> None:
    """Have an app above add what the demo's people wish for, once they have accounts."""
    _wishes.append(add)


def load_demo(*, now: datetime, report: Callable[[int, int], None]) -> int:
    """Make the demo bank and return its number of transfers; 0 when it is there already.

    One transaction for people and the head office, then one for each branch: killed at any instant,
    the next call makes what is missing. ``report`` is told how many transfers are posted, of how
    many.
    """
    parts = _tell_parts(now)
    progress = _Progress(report, total=sum(len(part.story) for part in parts))
    with transaction.atomic():
        _lock()
        if not User.objects.filter(external_reference__startswith=f"{_REFERENCE}:").exists():
            _bring_in(parts)
        add_staff(password=PASSWORD, prefix=_REFERENCE)
        _add_terms(now)
        for part in parts:
            if part.node == HEAD_OFFICE:
                _write(part, now=now, progress=progress)
    for part in parts:
        if part.node != HEAD_OFFICE:
            with transaction.atomic(using=part.node):
                _write(part, now=now, progress=progress)
    if progress.posted:
        _add_promises(parts, now)
    return progress.posted


def _add_terms(now: datetime) -> None:
    add_terms(now=now)
    for add in _terms:
        add(now)


def _add_promises(parts: Sequence[_Part], now: datetime) -> None:
    """Add what the people have promised and wish for, now that all of them have accounts."""
    for part in parts:
        numbers = _numbers_of(part)
        for number in numbers.values():
            copy_account(number)
        if numbers:
            add_promises(part.people, numbers, now=now)
            add_cards(part.people, numbers, now=now)
            add_disputes(part.people, numbers, now=now)
    for add in _wishes:
        add(now)


def _tell_parts(now: datetime) -> list[_Part]:
    head_office, _new = Branch.objects.get_or_create(
        code="HO", defaults={"number": _BRANCH, "name": "Head office"}
    )
    branches = Branch.objects.in_bulk(set(nodes()), field_name="code")
    random = Random(SEED)  # noqa: S311  # a story, not a secret
    zone = ZoneInfo(settings.BANK_TIME_ZONE)
    return [
        _Part(
            code=code,
            branch=branches.get(code, head_office),
            node=code if code in branches else HEAD_OFFICE,
            people=people,
            story=tell(random, people, now=now, zone=zone),
        )
        for code, people in make_people(random).items()
    ]


def logins() -> list[Login]:
    """Return who can log in, staff first."""
    people = User.objects.filter(external_reference__startswith=f"{_REFERENCE}:").order_by("pk")
    return sorted(
        (Login(user.role, user.full_name, user.email or "") for user in people),
        key=lambda login: login.role == Role.CUSTOMER,
    )


def _lock() -> None:
    """Of two that load at once, let one wait and find it done."""
    Branch.objects.select_for_update().get(code="HO")


class _Progress:
    """How many transfers of all are posted by now."""

    def __init__(self, report: Callable[[int, int], None], *, total: int) -> None:
        self.posted = 0
        self._report, self._total = report, total

    def add(self, count: int) -> None:
        self.posted += count
        self._report(self.posted, self._total)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Account numbers of the two kinds of sides."""

    held: dict[Holder, int]
    charts: dict[str, BankAccounts]

    def of(self, side: Side) -> int:
        if isinstance(side, Holder):
            return self.held[side]
        return self.charts[side.currency].number(side.place)


def _bring_in(parts: Sequence[_Part]) -> None:
    """Create the customers and their accounts' identities."""
    # Hashing is slow on purpose; one hash does for all, since all know the password.
    password = make_password(PASSWORD)
    for part in parts:
        for place, person in enumerate(part.people):
            add_person(
                email=person.email,
                full_name=person.name,
                role=Role.CUSTOMER,
                password_hash=password,
                external_reference=part.reference(place),
                branch=part.branch,
            )
        for held in part.accounts():
            Account.objects.create(
                number=account_number(branch=part.branch.number, serial=next_serial()),
                branch=part.branch,
                product=held.product,
                currency=part.people[held.person].currency,
                opened_at=part.story[0].at,
                external_reference=part.reference(held.person, held.product),
            )


def _write(part: _Part, *, now: datetime, progress: _Progress) -> None:
    """Open the accounts of a part on its node and post its story, unless that was done.

    Needs a transaction there.
    """
    lock_imports(using=part.node)
    held = _numbers_of(part)
    if not held or not _open(part, held):
        return
    currencies = dict.fromkeys(person.currency for person in part.people)
    charts = {
        name: open_chart(branch=part.branch.number, currency=name, using=part.node)
        for name in currencies
    }
    _post(part, _Numbers(held, charts), now=now, progress=progress)


def _numbers_of(part: _Part) -> dict[Holder, int]:
    """Return the numbers of a part's accounts; none in a demo of an earlier release."""
    references = {part.reference(held.person, held.product): held for held in part.accounts()}
    known = Account.objects.filter(external_reference__in=references)
    return {references[str(one.external_reference)]: one.number for one in known}


def _open(part: _Part, numbers: Mapping[Holder, int]) -> bool:
    """Open a part's accounts in the ledger; False when they were open."""
    people = {part.reference(place): place for place in range(len(part.people))}
    owners = {
        people[str(user.external_reference)]: user.pk
        for user in User.objects.filter(external_reference__in=people)
    }
    is_new = False
    for held, number in numbers.items():
        currency = part.people[held.person].currency
        opening = Opening(number=number, currency=currency, purpose=Purpose.CUSTOMER)
        is_new = open_account(opening, client=BANK_CLIENT, using=part.node)
        if not is_new:
            break
        set_holder(
            number,
            user=owners[held.person],
            rights="owner",
            client=BANK_CLIENT,
            using=part.node,
        )
    return is_new


def _post(part: _Part, numbers: _Numbers, *, now: datetime, progress: _Progress) -> None:
    # History counts against nobody's limit of today.
    yesterday = bank_day(now) - timedelta(days=1)
    order = Order(client=BANK_CLIENT, channel=Channel.IMPORT, day=yesterday, key=None)
    for chunk in _chunks(part.story):
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
        receipt = post_batch(transfers, order=order, using=part.node)
        for item, code in receipt.refusals.items():
            message = f"{chunk[item]}: {code.name.lower()}"
            raise DemoBrokenError(message)
        progress.add(len(chunk))


def _chunks(story: Sequence[Happening]) -> Iterator[list[Happening]]:
    rest = iter(story)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk
