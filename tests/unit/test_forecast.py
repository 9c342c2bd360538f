"""What will be in an account, by what is going to be paid."""

from datetime import date, timedelta
from typing import Final

from core.money import Money
from transactions.payments.upcoming import Upcoming
from transactions.selectors import AccountView
from transactions.statements.forecast import forecast_of

MINE: Final = 1
OTHER: Final = 2
TODAY: Final = date(2026, 3, 2)


def account(balance: int, *, held: int = 0, overdraft: int | None = 0) -> AccountView:
    """Return an account with so many paise."""
    available = None if overdraft is None else Money(balance - held + overdraft, "INR")
    return AccountView(
        number=MINE,
        product="current",
        branch="Mumbai",
        currency="INR",
        status="open",
        balance=Money(balance, "INR"),
        held=Money(held, "INR"),
        available=available,
    )


def payment(minor: int, days: int, *, debit: int = MINE, credit: int = OTHER) -> Upcoming:
    """Return a payment in so many days."""
    return Upcoming(
        day=TODAY + timedelta(days=days),
        debit=debit,
        credit=credit,
        amount=Money(minor, "INR"),
        memo="",
        is_repeated=False,
    )


def test_takes_what_goes_and_adds_what_comes() -> None:
    found = forecast_of(
        account(1_000),
        [payment(300, 1), payment(50, 2, debit=OTHER, credit=MINE), payment(9, 3, debit=7)],
    )
    assert (found.balance, found.short_on) == (Money(750, "INR"), None)
    assert len(found.payments) == 2


def test_names_the_first_day_on_which_money_lacks_and_how_much() -> None:
    plan = [payment(800, 1), payment(300, 4), payment(900, 9)]
    found = forecast_of(account(1_000), plan)
    assert (found.short_on, found.short_of) == (TODAY + timedelta(days=4), Money(100, "INR"))
    assert found.balance == Money(-1_000, "INR")


def test_counts_holds_and_overdrafts() -> None:
    plan = [payment(1_000, 1)]
    assert forecast_of(account(1_000, held=1), plan).short_of == Money(1, "INR")
    assert forecast_of(account(900, overdraft=100), plan).short_on is None
    assert forecast_of(account(0, overdraft=None), plan).short_on is None


def test_of_a_day_counts_what_comes_and_goes_together() -> None:
    plan = [payment(1_000, 1), payment(1_000, 1, debit=OTHER, credit=MINE)]
    assert forecast_of(account(0), plan).short_on is None
    assert forecast_of(account(5), []).balance == Money(5, "INR")
