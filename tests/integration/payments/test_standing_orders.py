"""Standing orders: each date paid once, whatever happens around it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connections, transaction
from structlog.testing import capture_logs

from accounts.models import User, UserStatus
from core.api.step_up import StepUp
from core.errors import DomainError
from notifications.notices.models import Notice
from tests.factories import bank_accounts, customer_account, inr, order, person
from tests.integration.payments.conftest import by_key
from transactions.chart import BankAccounts, Place
from transactions.ledger.codes import Refused
from transactions.ledger.posting import Kind, Transfer, post
from transactions.ledger.reads import balances
from transactions.payments import paying_in
from transactions.payments.due_dates import queue_standing_orders
from transactions.payments.models import ScheduledTransfer, StandingOrder
from transactions.payments.schedule import Frequency, Schedule, Weekend
from transactions.payments.scheduling import send_due_transfers
from transactions.payments.standing_orders import (
    NotTheNextDate,
    PaymentUnderWay,
    StandingOrderOver,
    StandingOrderRequest,
    UnknownStandingOrder,
    cancel_standing_order,
    create_standing_order,
    next_dates,
    pause_standing_order,
    payments_of,
    resume_standing_order,
    skip_date,
    standing_order_of,
)
from transactions.policy import KeyLimitExceeded
from transactions.services import Receipt, TransferRequest, transfer_funds

# A Monday, noon in India.
NOW = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
TODAY = date(2026, 3, 2)
NO_CODE = StepUp(fingerprint="", challenge=None, code=None)

Sent = ScheduledTransfer.State
State = StandingOrder.State


def wish(
    user: User,
    debit: int,
    credit: int,
    *,
    first: date = TODAY,
    minor: int = 100_000,
    key: str = "",
    **how: object,
) -> StandingOrderRequest:
    """Return a wish to pay each month, or as it says."""
    schedule = {"frequency": Frequency.MONTHLY, "first_date": first, **how}
    return StandingOrderRequest(
        caller=by_key(user),
        key=key or str(uuid4()),
        debit=debit,
        credit=credit,
        amount=inr(minor),
        schedule=Schedule(**schedule),  # type: ignore[arg-type]
        memo="rent",
    )


def given(request: StandingOrderRequest) -> StandingOrder:
    """Give a standing order."""
    return create_standing_order(request, step_up=NO_CODE, now=NOW)[0]


def pay(now: datetime) -> int:
    """Do what the watch does, and return how many were sent."""
    queue_standing_orders(now=now)
    return send_due_transfers(now=now)


def balance(number: int) -> int:
    """Return what an account holds."""
    return balances([number])[0].balance


def noon(month: int, day: int, year: int = 2026) -> datetime:
    """Return noon of a day in India."""
    return datetime(year, month, day, 6, 30, tzinfo=UTC)


@pytest.mark.django_db
class TestADate:
    def test_is_paid_once_however_often_the_watch_comes(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        mandate = given(wish(asha, mine, theirs))
        assert pay(NOW) == 1
        assert [pay(NOW + timedelta(hours=hours)) for hours in (1, 5)] == [0, 0]
        assert balance(theirs) == 100_000
        (paid,) = payments_of(mandate, after=None, limit=5)
        assert (paid.state, paid.due_date) == (Sent.DONE, TODAY)
        assert paid.transfer_id is not None
        assert standing_order_of(asha.pk, order=mandate.pk).next_date == date(2026, 4, 2)
        assert pay(noon(4, 1)) == 0
        assert pay(noon(4, 2)) == 1

    def test_that_nobody_watched_is_made_up_for(self, asha: User, mine: int, theirs: int) -> None:
        mandate = given(wish(asha, mine, theirs, frequency=Frequency.WEEKLY))
        late = noon(3, 17)
        assert [queue_standing_orders(now=late) for _ in range(4)] == [1, 1, 1, 0]
        send_due_transfers(now=late)
        dates = [paid.due_date for paid in payments_of(mandate, after=None, limit=5)]
        assert sorted(filter(None, dates)) == [TODAY, date(2026, 3, 9), date(2026, 3, 16)]
        assert balance(theirs) == 300_000

    def test_begins_in_the_banks_own_time_zone(self, asha: User, mine: int, theirs: int) -> None:
        given(wish(asha, mine, theirs, first=date(2026, 3, 3)))
        assert pay(datetime(2026, 3, 2, 18, 29, tzinfo=UTC)) == 0
        assert pay(datetime(2026, 3, 2, 18, 30, tzinfo=UTC)) == 1

    def test_at_a_weekend_is_paid_on_the_day_chosen(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        saturday = date(2026, 3, 7)
        given(wish(asha, mine, theirs, first=saturday, weekend=Weekend.BEFORE))
        given(wish(asha, mine, theirs, first=saturday, weekend=Weekend.AFTER))
        assert [pay(noon(3, day)) for day in (5, 6, 7, 8, 9)] == [0, 1, 0, 0, 1]

    def test_after_the_last_one_there_is_none(self, asha: User, mine: int, theirs: int) -> None:
        mandate = given(wish(asha, mine, theirs, last_date=date(2026, 4, 30)))
        assert [day.isoformat() for day in next_dates(mandate)] == ["2026-03-02", "2026-04-02"]
        assert [pay(noon(month, 2)) for month in (3, 4, 5)] == [1, 1, 0]
        ended = standing_order_of(asha.pk, order=mandate.pk)
        assert (ended.state, next_dates(ended)) == (State.ENDED, [])


@pytest.mark.usefixtures("fresh_bank")
def test_a_date_is_paid_once_by_many_watches_at_once(asha: User, mine: int, theirs: int) -> None:
    for _ in range(3):
        given(wish(asha, mine, theirs))
    barrier = threading.Barrier(6)

    def work(_number: int) -> int:
        barrier.wait()
        try:
            return pay(NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(work, range(6))) <= 3
    send_due_transfers(now=NOW)
    assert balance(theirs) == 300_000
    assert ScheduledTransfer.objects.count() == 3


@pytest.mark.usefixtures("fresh_bank")
def test_a_date_is_left_alone_while_its_order_is_being_paused(
    asha: User, mine: int, theirs: int
) -> None:
    mandate = given(wish(asha, mine, theirs))

    def queue() -> int:
        try:
            return queue_standing_orders(now=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool, capture_logs() as logged, transaction.atomic():
        pause_standing_order(asha.pk, order=mandate.pk)
        assert pool.submit(queue).result(timeout=30) == 0
    # It was passed over, not waited for in vain.
    assert logged == []
    assert queue_standing_orders(now=NOW) == 0
    assert standing_order_of(asha.pk, order=mandate.pk).state == State.PAUSED
    assert not ScheduledTransfer.objects.exists()


@pytest.mark.usefixtures("fresh_bank")
class TestWithoutMoney:
    def test_a_date_is_tried_through_the_day_and_paid_when_there_is_some(
        self, asha: User, theirs: int
    ) -> None:
        poor = customer_account(asha)
        mandate = given(wish(asha, poor, theirs))
        assert pay(NOW) == 0
        (waiting,) = payments_of(mandate, after=None, limit=5)
        assert (waiting.state, waiting.reason) == (
            Sent.WAITING,
            "There is not enough money in the account.",
        )
        vault = bank_accounts().number(Place.VAULT)
        post(Transfer(vault, poor, inr(100_000), Kind.DEPOSIT), order=order())
        assert pay(NOW + timedelta(minutes=59)) == 0
        assert pay(NOW + timedelta(minutes=61)) == 1
        assert balance(theirs) == 100_000

    def test_a_date_is_noted_as_refused_in_the_end_and_the_next_one_comes(
        self, asha: User, theirs: int
    ) -> None:
        mandate = given(wish(asha, customer_account(asha), theirs))
        for turn in range(14):
            assert pay(NOW + turn * timedelta(minutes=61)) == 0
        (failed,) = payments_of(mandate, after=None, limit=5)
        assert (failed.state, failed.reason) == (
            Sent.REFUSED,
            "There is not enough money in the account.",
        )
        # The last try was on the day itself.
        assert failed.tried_at is not None
        assert failed.tried_at < datetime(2026, 3, 2, 18, 30, tzinfo=UTC)
        assert standing_order_of(asha.pk, order=mandate.pk).next_date == date(2026, 4, 2)

    def test_what_can_never_be_paid_is_not_tried_again(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        mandate = given(wish(asha, mine, theirs))
        StandingOrder.objects.update(currency="EUR")
        assert [pay(NOW + timedelta(hours=hours)) for hours in (0, 2)] == [0, 0]
        (failed,) = payments_of(mandate, after=None, limit=5)
        assert failed.state == Sent.REFUSED
        assert failed.tried_at is not None
        assert failed.tried_at < NOW + timedelta(hours=1)


@pytest.mark.usefixtures("fresh_bank")
class TestOfASuspendedPerson:
    def test_dates_are_noted_as_refused_and_the_order_goes_on_once_they_are_let_in(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        mandate = given(wish(asha, mine, theirs))
        User.objects.filter(pk=asha.pk).update(status=UserStatus.SUSPENDED, is_active=False)
        assert [pay(at) for at in (NOW, noon(3, 3), noon(4, 2), noon(4, 3))] == [0, 0, 0, 0]
        User.objects.filter(pk=asha.pk).update(status=UserStatus.ACTIVE, is_active=True)
        assert [pay(at) for at in (noon(4, 4), noon(5, 2), noon(5, 3))] == [0, 1, 0]
        assert balance(theirs) == 100_000
        paid, *held = payments_of(mandate, after=None, limit=5)
        assert paid.due_date == date(2026, 5, 2)
        assert [(one.due_date, one.state, one.reason) for one in held] == [
            (day, Sent.REFUSED, "You were suspended until its day had ended.")
            for day in (date(2026, 4, 2), TODAY)
        ]
        assert Notice.objects.filter(person=asha, kind="standing_order_failed").count() == 2

    def test_a_date_is_paid_once_they_are_let_in_that_day(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        given(wish(asha, mine, theirs))
        User.objects.filter(pk=asha.pk).update(status=UserStatus.SUSPENDED, is_active=False)
        assert pay(NOW) == 0
        User.objects.filter(pk=asha.pk).update(status=UserStatus.ACTIVE, is_active=True)
        assert [pay(NOW + timedelta(hours=hours)) for hours in (1, 5)] == [1, 0]
        assert balance(theirs) == 100_000


@pytest.mark.django_db
class TestPausing:
    def test_pays_nothing_until_it_is_resumed_and_makes_up_for_nothing(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        mandate = given(wish(asha, mine, theirs))
        assert pause_standing_order(asha.pk, order=mandate.pk).state == State.PAUSED
        assert pause_standing_order(asha.pk, order=mandate.pk).state == State.PAUSED
        assert pay(noon(4, 5)) == 0
        resumed = resume_standing_order(asha.pk, order=mandate.pk, now=noon(4, 5))
        assert (resumed.state, resumed.next_date) == (State.ACTIVE, date(2026, 5, 2))
        assert [pay(noon(4, 6)), pay(noon(5, 2))] == [0, 1]

    def test_resumed_at_once_it_pays_no_date_twice(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        mandate = given(wish(asha, mine, theirs))
        assert pay(NOW) == 1
        pause_standing_order(asha.pk, order=mandate.pk)
        resume_standing_order(asha.pk, order=mandate.pk, now=NOW)
        assert pay(NOW) == 0
        assert balance(theirs) == 100_000

    def test_beyond_the_last_date_it_ends(self, asha: User, mine: int, theirs: int) -> None:
        mandate = given(wish(asha, mine, theirs, last_date=TODAY))
        pause_standing_order(asha.pk, order=mandate.pk)
        ended = resume_standing_order(asha.pk, order=mandate.pk, now=noon(3, 3))
        assert ended.state == State.ENDED


@pytest.mark.django_db
class TestSkipping:
    def test_leaves_out_one_date_even_if_asked_for_twice(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        mandate = given(wish(asha, mine, theirs))
        for _ in range(2):
            left = skip_date(asha.pk, order=mandate.pk, day=TODAY, now=NOW)
            assert left.next_date == date(2026, 4, 2)
        assert [pay(NOW), pay(noon(4, 2))] == [0, 1]
        states = [paid.state for paid in payments_of(mandate, after=None, limit=5)]
        assert states == [Sent.DONE, Sent.CANCELLED]

    def test_refuses_another_date_than_the_next(self, asha: User, mine: int, theirs: int) -> None:
        mandate = given(wish(asha, mine, theirs))
        with pytest.raises(NotTheNextDate, match="2026-03-02"):
            skip_date(asha.pk, order=mandate.pk, day=date(2026, 4, 2), now=NOW)

    def test_of_a_paused_order_leaves_it_paused(self, asha: User, mine: int, theirs: int) -> None:
        mandate = given(wish(asha, mine, theirs))
        pause_standing_order(asha.pk, order=mandate.pk)
        assert skip_date(asha.pk, order=mandate.pk, day=TODAY, now=NOW).state == State.PAUSED


@pytest.mark.usefixtures("fresh_bank")
class TestCancelling:
    def test_ends_the_order_and_what_of_it_waits(self, asha: User, theirs: int) -> None:
        mandate = given(wish(asha, customer_account(asha), theirs))
        pay(NOW)
        for _ in range(2):
            assert cancel_standing_order(asha.pk, order=mandate.pk).state == State.CANCELLED
        (waiting,) = payments_of(mandate, after=None, limit=5)
        assert waiting.state == Sent.CANCELLED
        assert [pay(NOW + timedelta(hours=2)), pay(noon(4, 2))] == [0, 0]
        with pytest.raises(StandingOrderOver):
            resume_standing_order(asha.pk, order=mandate.pk, now=NOW)
        with pytest.raises(StandingOrderOver):
            skip_date(asha.pk, order=mandate.pk, day=date(2026, 4, 2), now=NOW)

    @pytest.mark.parametrize(("money", "after"), [(100_000, Sent.DONE), (0, Sent.CANCELLED)])
    def test_is_too_late_only_while_a_payment_is_sent(
        self, asha: User, theirs: int, monkeypatch: pytest.MonkeyPatch, money: int, after: str
    ) -> None:
        mandate = given(wish(asha, customer_account(asha, balance=money), theirs))

        def send(request: TransferRequest, *, now: datetime) -> Receipt:
            with pytest.raises(PaymentUnderWay):
                cancel_standing_order(asha.pk, order=mandate.pk)
            assert standing_order_of(asha.pk, order=mandate.pk).state == State.ACTIVE
            return transfer_funds(request, now=now)

        monkeypatch.setattr(paying_in, "transfer_funds", send)
        assert pay(NOW) == bool(money)
        assert cancel_standing_order(asha.pk, order=mandate.pk).state == State.CANCELLED
        assert pay(NOW + timedelta(hours=2)) == 0
        assert [one.state for one in payments_of(mandate, after=None, limit=5)] == [after]


@pytest.mark.django_db
class TestGivingOne:
    def test_twice_under_a_key_gives_one(self, asha: User, mine: int, theirs: int) -> None:
        request = wish(asha, mine, theirs, key="rent")
        made, is_new = create_standing_order(request, step_up=NO_CODE, now=NOW)
        again, is_new_again = create_standing_order(
            request, step_up=NO_CODE, now=NOW + timedelta(days=9)
        )
        assert (made, is_new, is_new_again) == (again, True, False)
        with pytest.raises(Refused) as refused:
            given(wish(asha, mine, theirs, key="rent", minor=5))
        assert refused.value.code == "key_reused"

    @pytest.mark.parametrize(
        ("how", "code"),
        [
            ({"first": date(2026, 3, 1)}, "first_date_past"),
            ({"first": date(2026, 3, 8), "weekend": Weekend.BEFORE}, None),
            ({"last_date": date(2026, 3, 1)}, "last_date_before_first"),
            ({"last_date": date(2199, 1, 1)}, "date_too_far"),
            ({"month_end": True}, "first_date_not_month_end"),
            ({"month_end": True, "frequency": Frequency.WEEKLY}, "month_end_of_weeks"),
        ],
    )
    def test_is_refused_when_the_dates_do_not_fit(
        self, asha: User, mine: int, theirs: int, how: dict[str, object], code: str | None
    ) -> None:
        request = wish(asha, mine, theirs, **how)  # type: ignore[arg-type]
        if code is None:
            assert given(request).pay_date == date(2026, 3, 6)
            return
        with pytest.raises(DomainError) as refused:
            given(request)
        assert refused.value.code == code
        assert not StandingOrder.objects.exists()

    def test_is_refused_when_it_could_never_be_paid(
        self, asha: User, vikram: User, mine: int, theirs: int
    ) -> None:
        koruny = customer_account(vikram, currency="CZK")
        vault = BankAccounts(100, "INR").number(Place.VAULT)
        for debit, credit, code in (
            (theirs, mine, "unknown_debit_account"),
            (mine, vault, "unknown_credit_account"),
            (mine, mine, "same_account"),
            (mine, koruny, "currencies_differ"),
            (koruny, koruny + 1, "unknown_debit_account"),
        ):
            with pytest.raises(DomainError) as refused:
                given(wish(asha, debit, credit))
            assert refused.value.code == code
        assert not StandingOrder.objects.exists()

    def test_is_refused_above_what_an_api_key_sends(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        request = wish(asha, mine, theirs)
        limited = replace(request, caller=replace(request.caller, largest_transfer=99_999))
        with pytest.raises(KeyLimitExceeded):
            given(limited)


@pytest.mark.django_db
def test_others_do_not_see_or_touch_it(asha: User, mine: int, theirs: int) -> None:
    mandate, stranger = given(wish(asha, mine, theirs)), person().pk
    touches: list[Callable[[], object]] = [
        lambda: standing_order_of(stranger, order=mandate.pk),
        lambda: pause_standing_order(stranger, order=mandate.pk),
        lambda: resume_standing_order(stranger, order=mandate.pk, now=NOW),
        lambda: skip_date(stranger, order=mandate.pk, day=TODAY, now=NOW),
        lambda: cancel_standing_order(stranger, order=mandate.pk),
    ]
    for touch in touches:
        with pytest.raises(UnknownStandingOrder):
            touch()
    assert standing_order_of(asha.pk, order=mandate.pk).state == State.ACTIVE
