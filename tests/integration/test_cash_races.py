"""Cash booked by many at once: the limit of a day and the machine's cash hold."""

from collections import Counter
from collections.abc import Callable
from uuid import uuid4

import pytest
from pytest_django.fixtures import Settings

from tests.factories import account, inr, instant, person
from tests.proofs._racing import race
from transactions.cash import (
    CashFilling,
    CashRequest,
    daily_at_machine,
    deposit_cash,
    fill_with_cash,
    withdraw_cash,
)
from transactions.chart import Place
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import BANK_CLIENT, Channel
from transactions.ledger.reads import balances

pytestmark = pytest.mark.usefixtures("fresh_bank", "self_service")

RACERS = 8
FITS = 5


@pytest.fixture
def self_service(settings: Settings) -> None:
    """Let customers serve themselves."""
    settings.BANK_SELF_SERVICE_CASH = True


def fill(minor: int) -> None:
    """Bring cash to the machine."""
    filling = CashFilling(
        user=BANK_CLIENT,
        key=str(uuid4()),
        node="default",
        place=Place.MACHINE,
        amount=inr(minor),
    )
    fill_with_cash(filling, now=instant())


def books(user: int, number: int, minor: int, *, is_out: bool) -> Callable[[], str]:
    """Return a racer who moves cash of an account."""

    def book() -> str:
        request = CashRequest(
            user=user,
            key=str(uuid4()),
            channel=Channel.MACHINE,
            account=number,
            amount=inr(minor),
        )
        (withdraw_cash if is_out else deposit_cash)(request, now=instant())
        return "booked"

    return book


@pytest.mark.parametrize("is_out", [False, True], ids=["paid in", "taken out"])
def test_the_limit_of_a_day_lets_exactly_the_right_number_through(is_out: bool) -> None:  # noqa: FBT001  # a case
    most = daily_at_machine("INR").minor
    fill(2 * most)
    owner = person()
    mine = account(balance=2 * most, owner=owner)
    ended = race([books(owner.pk, mine, most // FITS, is_out=is_out)] * RACERS)
    assert ended == Counter(booked=FITS, cash_limit_exceeded=RACERS - FITS)
    assert balances([mine])[0].balance == (most if is_out else 3 * most)
    assert check_books().findings == []


def test_a_machine_gives_no_more_than_it_holds() -> None:
    fill(FITS * 100 + 99)
    racers = []
    for _racer in range(RACERS):
        owner = person()
        racers.append(books(owner.pk, account(balance=100, owner=owner), 100, is_out=True))
    assert race(racers) == Counter(booked=FITS, insufficient_cash=RACERS - FITS)
    assert check_books().findings == []
