"""What happened to the people of the demo in thirteen months: pure, and the same for the same seed.

First every wish is collected (a salary, a shopping trip, a friend to be paid back), then they are
walked through in the order of time, with all balances: what somebody could not have paid is left
out, and machines are filled before they run empty.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from accounts.models import Product
from transactions.chart import Place
from transactions.demo.people import HABITS, Persona
from transactions.ledger.posting import Kind

MONTHS: Final = 13
_QUARTERS: Final = (3, 6, 9, 12)
_YEARLY_INTEREST_PERMILLE: Final = 35
_SHOPS: Final = {
    "INR": ("Spencer's", "Reliance Fresh", "D-Mart", "Nature's Basket", "Corner store"),
    "CZK": ("Albert", "Tesco Praha", "Farmers' market"),
    "JPY": ("Seiyu", "Lawson", "Life Shibuya"),
    "KWD": ("Sultan Center", "City Hypermarket"),
}
_TREATS: Final = ("Bookshop", "Cinema", "Café", "Restaurant", "Pharmacy", "Petrol", "Taxi", "Shoes")
_BILLS: Final = (("Electricity", 18, 28), ("Mobile phone", 6, 9), ("Internet", 8, 11))
_FAVOURS: Final = ("Dinner", "Train tickets", "Birthday present", "Groceries, my half", "Thank you")


@dataclass(frozen=True, slots=True)
class Holder:
    """One account of a person of the demo, by their place in the list."""

    person: int
    product: Product


@dataclass(frozen=True, slots=True)
class Own:
    """One of the bank's own accounts."""

    place: Place
    currency: str


Side = Holder | Own


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One transfer of the story; ``amount`` in minor units, 0: the interest earned so far."""

    at: datetime
    debit: Side
    credit: Side
    amount: int
    currency: str
    kind: Kind
    memo: str | None


@dataclass(frozen=True, slots=True)
class Month:
    """One month of the story."""

    first: date
    zone: ZoneInfo

    def at(self, day: int, hour: int, minute: int) -> datetime:
        """Return an instant of the month; a day it does not have is its last."""
        last = (self.first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        chosen = min(self.first.replace(day=min(day, 28)) + timedelta(days=max(day - 28, 0)), last)
        return datetime.combine(chosen, time(hour, minute), self.zone)


def tell(
    random: Random, people: Sequence[Persona], *, now: datetime, zone: ZoneInfo
) -> list[Happening]:
    """Return what happened before ``now``, in the order of time."""
    wishes = [wish for month in _months(now, zone) for wish in _wishes_of(random, people, month)]
    opening = _opening(random, people, _months(now, zone)[0])
    ordered = sorted((wish for wish in wishes if wish.at < now), key=lambda wish: wish.at)
    return [*opening, *_lived(ordered, opening)]


def _months(now: datetime, zone: ZoneInfo) -> list[Month]:
    last = now.astimezone(zone).year * 12 + now.astimezone(zone).month - 1
    return [
        Month(date(number // 12, number % 12 + 1, 1), zone)
        for number in range(last - MONTHS, last + 1)
    ]


def _opening(random: Random, people: Sequence[Persona], month: Month) -> list[Happening]:
    """Fill vault, till and machine of each currency, and bring in what people had elsewhere."""
    early = month.at(1, 7, 0)
    stock = []
    for currency in dict.fromkeys(person.currency for person in people):
        big = HABITS[currency].highest_salary * 20
        vault = Own(Place.VAULT, currency)
        stock += [
            _transfer(early, vault, Own(Place.NOSTRO, currency), big * 10, currency, memo="Cash"),
            _transfer(early, Own(Place.TILL, currency), vault, big, currency, memo="Cash"),
            _transfer(early, Own(Place.MACHINE, currency), vault, big, currency, memo="Cash"),
        ]
    brought = [
        _transfer(
            month.at(1, 8, place),
            Own(Place.NOSTRO, person.currency),
            Holder(place, Product.CURRENT),
            _priced(person, random.randint(900, 2600)),
            person.currency,
            kind=Kind.DEPOSIT,
            memo="From my old bank",
        )
        for place, person in enumerate(people)
    ]
    return stock + brought


def _wishes_of(random: Random, people: Sequence[Persona], month: Month) -> Iterator[Happening]:
    for place, person in enumerate(people):
        mine = Holder(place, Product.CURRENT)
        outside = Own(Place.NOSTRO, person.currency)
        name = f"{month.first:%B}"
        yield _transfer(
            month.at(person.pay_day, random.randint(8, 10), random.randint(0, 59)),
            outside,
            mine,
            person.salary,
            person.currency,
            kind=Kind.PAYMENT,
            memo=f"Salary {name} · {person.employer}",
        )
        landlord = outside if person.landlord is None else Holder(person.landlord, Product.CURRENT)
        kind = Kind.PAYMENT if person.landlord is None else Kind.TRANSFER
        rent = _priced(person, 230 + sum(map(ord, person.name)) % 90)
        yield _transfer(
            month.at(random.randint(2, 5), random.randint(9, 20), random.randint(0, 59)),
            mine,
            landlord,
            rent,
            person.currency,
            kind=kind,
            memo=f"Rent {name}",
        )
        yield from _bills(random, person, mine, month)
        yield from _shopping(random, person, mine, month)
        yield from _cash(random, person, mine, month)
        yield from _savings(random, person, place, month)
        yield from _favours(random, people, place, month)


def _bills(random: Random, person: Persona, mine: Holder, month: Month) -> Iterator[Happening]:
    for name, lowest, highest in _BILLS:
        yield _transfer(
            month.at(random.randint(8, 16), random.randint(7, 22), random.randint(0, 59)),
            mine,
            Own(Place.NOSTRO, person.currency),
            _priced(person, random.randint(lowest, highest)),
            person.currency,
            kind=Kind.PAYMENT,
            memo=name,
        )
    if month.first.month in _QUARTERS:
        yield _transfer(
            month.at(31, 18, 0),
            mine,
            Own(Place.FEE_INCOME, person.currency),
            _priced(person, 2),
            person.currency,
            kind=Kind.FEE,
            memo="Account fee for the quarter",
        )


def _shopping(random: Random, person: Persona, mine: Holder, month: Month) -> Iterator[Happening]:
    trips = [(random.choice(_SHOPS[person.currency]), 5, 32) for _ in range(random.randint(6, 10))]
    treats = [(random.choice(_TREATS), 3, 40) for _ in range(random.randint(2, 6))]
    for name, lowest, highest in trips + treats:
        yield _transfer(
            month.at(random.randint(1, 31), random.randint(9, 21), random.randint(0, 59)),
            mine,
            Own(Place.NOSTRO, person.currency),
            _priced(person, random.uniform(lowest, highest)),
            person.currency,
            kind=Kind.CARD,
            memo=name,
        )


def _cash(random: Random, person: Persona, mine: Holder, month: Month) -> Iterator[Happening]:
    note = HABITS[person.currency].note
    for _ in range(random.randint(1, 3)):
        notes = max(1, round(person.salary * random.uniform(0.01, 0.05) / note))
        yield _transfer(
            month.at(random.randint(1, 31), random.randint(8, 22), random.randint(0, 59)),
            mine,
            Own(Place.MACHINE, person.currency),
            notes * note,
            person.currency,
            kind=Kind.WITHDRAWAL,
            memo=None,
        )
    if random.random() < 0.15:  # noqa: PLR2004  # now and then
        yield _transfer(
            month.at(random.randint(1, 28), random.randint(10, 15), random.randint(0, 59)),
            Own(Place.TILL, person.currency),
            mine,
            random.randint(2, 12) * note,
            person.currency,
            kind=Kind.DEPOSIT,
            memo="Cash paid in",
        )


def _savings(random: Random, person: Persona, place: int, month: Month) -> Iterator[Happening]:
    if not person.saves:
        return
    savings = Holder(place, Product.SAVINGS)
    yield _transfer(
        month.at(person.pay_day, random.randint(18, 22), random.randint(0, 59)),
        Holder(place, Product.CURRENT),
        savings,
        _priced(person, random.choice((80, 100, 150))),
        person.currency,
        memo="Savings",
    )
    if month.first.month in _QUARTERS:
        yield _transfer(
            month.at(31, 23, 30),
            Own(Place.INTEREST_EXPENSE, person.currency),
            savings,
            0,
            person.currency,
            kind=Kind.INTEREST,
            memo="Interest for the quarter",
        )


def _favours(
    random: Random, people: Sequence[Persona], place: int, month: Month
) -> Iterator[Happening]:
    person = people[place]
    friends = [
        other
        for other, one in enumerate(people)
        if other != place and one.currency == person.currency
    ]
    for _ in range(random.randint(0, 2) if friends else 0):
        yield _transfer(
            month.at(random.randint(1, 31), random.randint(10, 23), random.randint(0, 59)),
            Holder(place, Product.CURRENT),
            Holder(random.choice(friends), Product.CURRENT),
            _priced(person, random.randint(5, 45)),
            person.currency,
            memo=random.choice(_FAVOURS),
        )


def _transfer(  # noqa: PLR0913  # a transfer is what these are
    at: datetime,
    debit: Side,
    credit: Side,
    amount: int,
    currency: str,
    *,
    kind: Kind = Kind.TRANSFER,
    memo: str | None,
) -> Happening:
    return Happening(
        at=at, debit=debit, credit=credit, amount=amount, currency=currency, kind=kind, memo=memo
    )


def _priced(person: Persona, permille: float) -> int:
    """Return a price as people of this income pay it, in permille of a salary."""
    step = HABITS[person.currency].price_step
    return max(step, round(person.salary * permille / 1000 / step) * step)


def _lived(wishes: Sequence[Happening], opening: Sequence[Happening]) -> Iterator[Happening]:
    """Walk through the wishes with all balances; see the module's note."""
    funds: defaultdict[Side, int] = defaultdict(int)

    def take(happening: Happening) -> Happening:
        # What debit-normal cash accounts hold grows by the debit; people's funds by the credit.
        for side, sign in ((happening.debit, -1), (happening.credit, 1)):
            funds[side] += (-sign if isinstance(side, Own) else sign) * happening.amount
        return happening

    for happening in opening:
        take(happening)
    for wish in wishes:
        happening = _with_interest(wish, funds[wish.credit]) if wish.amount == 0 else wish
        if isinstance(happening.debit, Holder) and funds[happening.debit] < happening.amount:
            continue
        if happening.amount == 0:
            continue
        if isinstance(happening.credit, Own) and happening.credit.place is Place.MACHINE:
            low = HABITS[happening.currency].highest_salary * 2
            if funds[happening.credit] < low:
                yield take(_refill(happening))
        yield take(happening)


def _with_interest(wish: Happening, balance: int) -> Happening:
    return _transfer(
        wish.at,
        wish.debit,
        wish.credit,
        balance * _YEARLY_INTEREST_PERMILLE // 4000,
        wish.currency,
        kind=wish.kind,
        memo=wish.memo,
    )


def _refill(withdrawal: Happening) -> Happening:
    return _transfer(
        withdrawal.at,
        withdrawal.credit,
        Own(Place.VAULT, withdrawal.currency),
        HABITS[withdrawal.currency].highest_salary * 20,
        withdrawal.currency,
        memo="Cash",
    )
