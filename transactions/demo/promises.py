"""Payees and standing orders of the demo's people, as if they had given them long ago."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from accounts.models import Holding, Product
from core.clock import bank_day
from transactions.demo.people import HABITS, Persona
from transactions.demo.story import Holder
from transactions.parties import payee_of
from transactions.payments.models import Payee, StandingOrder
from transactions.payments.schedule import Frequency, Schedule, Weekend

_KEY: Final = "demo"
_MOST_PAYEES: Final = 3
_SAVED_PART: Final = 20
_KNOWN_FOR: Final = timedelta(days=120)


def add_promises(
    people: Sequence[Persona], numbers: Mapping[Holder, int], *, now: datetime
) -> None:
    """Let people of a branch know some payees, and save a part of their salary each month."""
    owners = dict(
        Holding.objects.filter(account__in=numbers.values()).values_list("account", "user")
    )
    for place, person in enumerate(people):
        current = numbers[Holder(place, Product.CURRENT)]
        payees = [
            numbers[Holder(other, Product.CURRENT)]
            for other in _friends(place, people)[:_MOST_PAYEES]
        ]
        for account in payees:
            _add_payee(owners[current], account, person, now=now)
        if person.saves:
            savings = numbers[Holder(place, Product.SAVINGS)]
            _save_monthly(owners[current], current, savings, person, now=now)


def _friends(place: int, people: Sequence[Persona]) -> list[int]:
    """Return whom a person pays: the landlord, and others with the same currency."""
    person = people[place]
    others = [
        other
        for other, known in enumerate(people)
        if other not in {place, person.landlord} and known.currency == person.currency
    ]
    return others if person.landlord is None else [person.landlord, *others]


def _add_payee(user: int, account: int, person: Persona, *, now: datetime) -> None:
    name = payee_of(account).name
    Payee.objects.get_or_create(
        user_id=user,
        account=account,
        defaults={
            "currency": person.currency,
            "nickname": name.partition(" ")[0],
            "name": name,
            "added_at": now - _KNOWN_FOR,
        },
    )


def _save_monthly(user: int, current: int, savings: int, person: Persona, *, now: datetime) -> None:
    note = HABITS[person.currency].note
    today = bank_day(now)
    schedule = Schedule(
        frequency=Frequency.MONTHLY,
        first_date=today.replace(year=today.year - 1, day=person.pay_day),
        weekend=Weekend.AFTER,
    )
    following = schedule.date_paid_from(today + timedelta(days=1))
    if following is None:
        return
    StandingOrder.objects.get_or_create(
        user_id=user,
        key=_KEY,
        defaults={
            "debit": current,
            "credit": savings,
            "amount": max(note, person.salary // _SAVED_PART // note * note),
            "currency": person.currency,
            "memo": "Savings",
            "frequency": schedule.frequency,
            "month_end": schedule.month_end,
            "weekend": schedule.weekend,
            "first_date": schedule.first_date,
            "next_date": following,
            "pay_date": schedule.pay_date(following),
            "created_at": now - _KNOWN_FOR,
        },
    )
