"""Closing days: in order, each once, whatever happens to whoever closes them."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from io import StringIO
from threading import Barrier
from typing import Any, Final

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from bankproject.runtime.postgres import BankUrls
from core import clock
from core.api.step_up import StepUp
from core.money import Money
from tests.factories import person
from tests.integration.closing.bank import (
    AFTER,
    LAST,
    accruals,
    interest_of,
    noon,
    open_months,
    put_in,
    record_at,
    savings,
    terms,
)
from tests.integration.payments.conftest import by_key
from transactions.closing import days as closing_days
from transactions.closing import posting, steps
from transactions.closing.days import (
    ClosingUnderWay,
    DayNotOver,
    DayTooEarly,
    close_days,
    close_missed_days,
)
from transactions.closing.models import BankDay, ClosingStep
from transactions.interest import accruing
from transactions.ledger.invariants import check_books
from transactions.ledger.reads import balances
from transactions.payments.models import ScheduledTransfer
from transactions.payments.schedule import Frequency, Schedule
from transactions.payments.standing_orders import StandingOrderRequest, create_standing_order
from transactions.upkeep import run_upkeep

FIRST: Final = LAST - timedelta(days=2)
DAILY: Final = [
    "loan_openings",
    "loan_write_offs",
    "loan_interest",
    "loan_charges",
    "loan_restructurings",
    "loan_collections",
    "loan_penalties",
    "loan_reminders",
]
NAMES: Final = ["standing_orders", "accruals", "interest", "fees", *DAILY]


@pytest.fixture
def mine(fresh_bank: BankUrls) -> int:
    """Return an account with ₹10,000.00 that earns, costs ₹50.00 a month, and pays by order."""
    open_months()
    record_at(fresh_bank.owner, noon(date(2024, 1, 10)))
    terms(fee=5_000)
    owner = person()
    account, poor = savings(owner), savings(owner)
    put_in(account, 1_000_000)
    put_in(poor, 1_000)
    schedule = Schedule(frequency=Frequency.MONTHLY, first_date=LAST, last_date=LAST)
    request = StandingOrderRequest(
        caller=by_key(owner),
        key="rent",
        debit=account,
        credit=poor,
        amount=Money(100, "INR"),
        schedule=schedule,
    )
    nothing = StepUp(fingerprint="", challenge=None, code=None)
    create_standing_order(request, step_up=nothing, now=noon(FIRST))
    record_at(fresh_bank.owner, AFTER)
    return account


def steps_done() -> list[tuple[date, str]]:
    return list(ClosingStep.objects.order_by("pk").values_list("day", "name"))


def assert_closed_once(mine: int) -> None:
    assert BankDay.objects.filter(closed_at__isnull=False).count() == 3
    assert len(accruals(mine)) == 3
    assert list(interest_of(mine).values()) == [288]
    assert balances([mine])[0].balance == 1_000_000 + 288 - 5_000 - 100
    (payment,) = ScheduledTransfer.objects.all()
    assert (payment.due_date, payment.state) == (LAST, ScheduledTransfer.State.DONE)
    assert check_books().findings == []


class TestDays:
    def test_are_closed_in_order_with_those_that_were_missed(self, mine: int) -> None:
        close_days(until=FIRST, now=AFTER)
        closed = close_days(until=LAST, now=AFTER)
        assert [day.day for day in closed] == [LAST - timedelta(days=1), LAST]
        usual = [*NAMES[:2], *DAILY]
        assert [name for _day, name in steps_done()] == [*usual, *usual, *NAMES]
        days = [(day - FIRST).days for day, _name in steps_done()]
        assert days == [0] * len(usual) + [1] * len(usual) + [2] * len(NAMES)
        assert_closed_once(mine)
        assert close_days(until=LAST, now=AFTER) == []
        ending = ClosingStep.objects.get(day=LAST, name="fees")
        assert (ending.items, ending.amounts) == (1, {"INR": 5_000})
        assert ending.left_out == {"insufficient_funds": 1}
        position = BankDay.objects.get(day=LAST).position
        assert position is not None
        assert position["customers"] == {"INR": balances([mine])[0].balance + 1_100}
        assert position["is_sound"] is True

    def test_that_are_not_over_or_too_early_are_refused(self, mine: int) -> None:
        assert mine
        today = clock.bank_day(AFTER)
        for day in (today, today + timedelta(days=1)):
            with pytest.raises(DayNotOver, match="2024-02-29"):
                close_days(until=day, now=AFTER)
        close_days(until=LAST, now=AFTER)
        with pytest.raises(DayTooEarly, match="2024-02-29"):
            close_days(until=FIRST, now=AFTER)
        assert BankDay.objects.count() == 1

    def test_are_closed_by_the_command_which_says_what_it_did(self, mine: int) -> None:
        out = StringIO()
        call_command("close_day", f"{FIRST}", stdout=out)
        call_command("close_day", f"{LAST}", stdout=out)
        call_command("close_day", f"{LAST}", stdout=out)
        said = out.getvalue().splitlines()
        assert "2024-02-29 interest 1, 2.88 INR" in said
        assert "2024-02-29 fees 1, 50.00 INR, 1 left out: insufficient_funds" in said
        assert said[-2:] == ["2024-02-29 closed", "2024-02-29 was closed before"]
        assert_closed_once(mine)
        with pytest.raises(CommandError, match="is not over"):
            call_command("close_day", f"{clock.bank_day(clock.now())}")

    def test_are_closed_by_the_watch_when_the_banks_day_has_turned(self, mine: int) -> None:
        for _again in range(2):
            close_missed_days(now=AFTER)
        assert [day.day for day in BankDay.objects.all()] == [LAST]
        wait_for_days(3, now=AFTER + timedelta(days=2))
        assert len(accruals(mine)) == 3

    @pytest.mark.usefixtures("fresh_bank")
    def test_of_a_bank_without_accounts_are_left_alone(self) -> None:
        assert close_missed_days(now=AFTER) == []
        assert not BankDay.objects.exists()


class TestSomebodyWhoDies:
    def test_at_any_step_leaves_nothing_out_and_doubles_nothing(self, mine: int) -> None:
        deaths: list[tuple[object, str, bool]] = [
            (steps, "queue_standing_orders", False),
            (steps, "send_due_transfers", False),
            (steps, "send_due_transfers", True),
            (closing_days, "_do", True),
            (accruing, "accrue", False),
            (accruing, "accrue", True),
            (closing_days, "take_position", False),
            (steps, "pay_interest", False),
            (posting, "post_batch", True),
            (steps, "pay_interest", True),
            (steps, "charge_fees", True),
            (BankDay, "save", False),
        ]
        for place, name, is_after in deaths:
            assert killed(place, name, is_after=is_after) == signal.SIGKILL
        close_days(until=FIRST, now=AFTER)
        close_days(until=LAST, now=AFTER)
        assert_closed_once(mine)


def wait_for_days(count: int, *, now: datetime) -> None:
    """Watch until so many days are closed, which may rest first, as between two looks."""
    for _glance in range(120):
        run_upkeep(now=now)
        if BankDay.objects.filter(closed_at__isnull=False).count() == count:
            return
        time.sleep(0.25)
    pytest.fail(f"{count} days were not closed in 30 seconds")


def killed(place: Any, name: str, *, is_after: bool) -> int:
    """Close days in a process of its own that kills itself at a call; return what ended it."""
    child = os.fork()
    if child == 0:
        die_at(place, name, is_after=is_after)
        for wrapper in connections.all():
            # The parent's lines, which it goes on with.
            wrapper.connection = None
        try:
            close_days(until=FIRST, now=AFTER)
            close_days(until=LAST, now=AFTER)
        finally:
            os._exit(1)
    _pid, status = os.waitpid(child, 0)
    return status


def die_at(place: Any, name: str, *, is_after: bool) -> None:
    work: Callable[..., Any] = getattr(place, name)

    def dying(*args: Any, **kwargs: Any) -> None:
        if is_after:
            work(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(place, name, dying)


class TestTwoAtOnce:
    def test_take_turns(self, mine: int, monkeypatch: pytest.MonkeyPatch) -> None:
        assert mine
        monkeypatch.setattr(closing_days, "TURN_SECONDS", 0.1)
        with closing_days.turn():
            with pytest.raises(ClosingUnderWay):
                close_days(until=LAST, now=AFTER)
            assert close_missed_days(now=AFTER) == []
        assert not BankDay.objects.exists()

    def test_do_no_harm_even_if_they_do_not(
        self, mine: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        @contextmanager
        def nobody() -> Iterator[None]:
            yield

        monkeypatch.setattr(closing_days, "turn", nobody)
        close_days(until=FIRST, now=AFTER)
        together = Barrier(2)

        def close() -> None:
            together.wait(timeout=30)
            try:
                close_days(until=LAST, now=AFTER)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as pool:
            for closing in [pool.submit(close) for _nth in range(2)]:
                closing.result(timeout=60)
        assert_closed_once(mine)
