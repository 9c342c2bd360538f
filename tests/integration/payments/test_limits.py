"""Limits: lowered at once, raised a day after a code; and what the ledger makes of them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from django.db import connections

from accounts.models import User, UserStatus
from accounts.step_up import StepUpRequired
from core.api.step_up import StepUp
from tests.branches import DEL, MUM, Branches
from tests.expectations import refusing
from tests.factories import account, customer_account, inr, order, person
from tests.integration.payments.conftest import confirmed
from tests.outages import node_down
from tests.servers import TestServer
from transactions.branches.moving import move_account
from transactions.governing import change_holder, change_limits, change_status
from transactions.ledger.accounts import Limit, Limits, Status, limits_of
from transactions.ledger.codes import Code, Refused
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import BANK_CLIENT, Kind, Transfer, hold, post, post_batch
from transactions.limits import changing
from transactions.limits.changing import (
    COOLING_OFF,
    LimitsRequest,
    LimitsView,
    NotTheOwner,
    apply_due_raises,
    change_own_limits,
    limits_seen_by,
)
from transactions.limits.models import LimitRaise

NOW = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
NO_CODE = StepUp(fingerprint="", challenge=None, code=None)


def asked(user: User, number: int, **wanted: int | None) -> LimitsRequest:
    """Return a wish to change limits."""
    limits = {Limit(name): minor for name, minor in wanted.items()}
    return LimitsRequest(user=user.pk, account=number, currency="INR", wanted=limits)


def lower(user: User, number: int, **wanted: int | None) -> LimitsView:
    """Change limits without a code."""
    return change_own_limits(asked(user, number, **wanted), step_up=NO_CODE, now=NOW)


def wish_higher(user: User, number: int, *, now: datetime = NOW, **wanted: int | None) -> None:
    """Ask to raise limits, with the code."""
    request = asked(user, number, **wanted)
    confirmed(lambda step_up: change_own_limits(request, step_up=step_up, now=now))


def held(number: int) -> Limits:
    """Return the limits of an account."""
    found = limits_of(number, day=NOW.date())
    assert found is not None
    return found


@pytest.mark.django_db
class TestLowering:
    def test_counts_at_once_and_leaves_the_others(self, asha: User, mine: int) -> None:
        lower(asha, mine, daily_limit=500_000)
        shown = lower(asha, mine, transfer_limit=200_000)
        assert (shown.limits.daily_limit, shown.limits.transfer_limit) == (500_000, 200_000)
        assert shown.limits.overdraft_limit == 0
        assert list(shown.raises) == []
        with refusing(Code.TRANSFER_LIMIT_EXCEEDED):
            post(Transfer(mine, customer_account(person()), inr(200_001)), order=order())

    def test_to_nothing_stops_all_spending(self, asha: User, mine: int, theirs: int) -> None:
        lower(asha, mine, daily_limit=0)
        with refusing(Code.DAILY_LIMIT_EXCEEDED):
            post(Transfer(mine, theirs, inr(1)), order=order())

    def test_is_for_owners_alone(self, vikram: User, mine: int) -> None:
        change_holder(mine, user=vikram.pk, rights="authorised", client=BANK_CLIENT, key="a")
        assert limits_seen_by(vikram.pk, number=mine, now=NOW).limits.number == mine
        with pytest.raises(NotTheOwner):
            lower(vikram, mine, daily_limit=1)
        stranger = person()
        with pytest.raises(Refused) as refused:
            lower(stranger, mine, daily_limit=1)
        assert refused.value.reason is Code.UNKNOWN_ACCOUNT
        assert held(mine).daily_limit is None

    def test_is_refused_in_another_currency_and_of_a_closed_account(self, asha: User) -> None:
        number = customer_account(asha, currency="CZK")
        with pytest.raises(Refused) as refused:
            lower(asha, number, daily_limit=1)
        assert refused.value.reason is Code.WRONG_CURRENCY
        empty = customer_account(asha)
        change_status(empty, status=Status.CLOSED, client=BANK_CLIENT, key="c", reason="test")
        with pytest.raises(Refused) as refused:
            lower(asha, empty, daily_limit=1)
        assert refused.value.reason is Code.ACCOUNT_CLOSED


@pytest.mark.django_db
class TestRaising:
    def test_needs_a_code_and_counts_after_a_day(self, asha: User, mine: int) -> None:
        lower(asha, mine, daily_limit=100)
        with pytest.raises(StepUpRequired):
            lower(asha, mine, daily_limit=200)
        assert not LimitRaise.objects.exists()
        wish_higher(asha, mine, daily_limit=200)
        shown = limits_seen_by(asha.pk, number=mine, now=NOW)
        assert [(one.limit, one.minor, one.applies_at) for one in shown.raises] == [
            ("daily_limit", 200, NOW + COOLING_OFF)
        ]
        assert apply_due_raises(now=NOW + COOLING_OFF - timedelta(seconds=1)) == 0
        assert held(mine).daily_limit == 100
        assert apply_due_raises(now=NOW + COOLING_OFF) == 1
        assert held(mine).daily_limit == 200
        assert apply_due_raises(now=NOW + 2 * COOLING_OFF) == 0

    def test_to_none_at_all_is_raising_too(self, asha: User, mine: int) -> None:
        lower(asha, mine, transfer_limit=100)
        wish_higher(asha, mine, transfer_limit=None)
        apply_due_raises(now=NOW + COOLING_OFF)
        assert held(mine).transfer_limit is None

    def test_asked_for_again_goes_on_cooling_off_without_another_code(
        self, asha: User, mine: int
    ) -> None:
        lower(asha, mine, daily_limit=100)
        wish_higher(asha, mine, daily_limit=200)
        lower(asha, mine, daily_limit=200)
        assert [one.applies_at for one in LimitRaise.objects.all()] == [NOW + COOLING_OFF]

    def test_to_something_else_begins_anew(self, asha: User, mine: int) -> None:
        lower(asha, mine, daily_limit=100)
        wish_higher(asha, mine, daily_limit=200)
        later = NOW + timedelta(hours=23)
        wish_higher(asha, mine, now=later, daily_limit=900)
        assert apply_due_raises(now=NOW + COOLING_OFF) == 0
        assert apply_due_raises(now=later + COOLING_OFF) == 1
        assert held(mine).daily_limit == 900

    def test_is_given_up_when_the_limit_is_lowered_meanwhile(self, asha: User, mine: int) -> None:
        lower(asha, mine, daily_limit=100)
        wish_higher(asha, mine, daily_limit=200)
        lower(asha, mine, daily_limit=50)
        assert apply_due_raises(now=NOW + COOLING_OFF) == 0
        assert held(mine).daily_limit == 50

    def test_is_not_forgotten_for_a_lowering_that_is_refused(
        self, asha: User, mine: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lower(asha, mine, daily_limit=100, transfer_limit=100)
        wish_higher(asha, mine, daily_limit=200)

        def fail(*_account: int, **_how: object) -> None:
            raise Refused(Code.ACCOUNT_CLOSED)

        with monkeypatch.context() as patch:
            patch.setattr(changing, "change_limits", fail)
            # Without a transaction around it, which would bring back what was forgotten.
            with pytest.raises(Refused):
                lower(asha, mine, daily_limit=50)
        assert apply_due_raises(now=NOW + COOLING_OFF) == 1
        assert held(mine).daily_limit == 200

    def test_of_an_account_that_was_closed_is_refused(self, asha: User) -> None:
        number = customer_account(asha)
        lower(asha, number, daily_limit=100)
        wish_higher(asha, number, daily_limit=200)
        change_status(number, status=Status.CLOSED, client=BANK_CLIENT, key="c", reason="test")
        assert apply_due_raises(now=NOW + COOLING_OFF) == 0
        refused = LimitRaise.objects.get()
        assert (refused.state, refused.reason) == ("refused", "The account is closed.")

    @pytest.mark.parametrize("lost", ["ownership", "rights", "standing"])
    def test_is_refused_once_its_owner_is_none_any_more(
        self, asha: User, mine: int, lost: str
    ) -> None:
        lower(asha, mine, daily_limit=100)
        wish_higher(asha, mine, daily_limit=200)
        if lost == "standing":
            suspended = {"status": UserStatus.SUSPENDED, "is_active": False}
            User.objects.filter(pk=asha.pk).update(**suspended)
        else:
            rights: Literal["authorised"] | None = "authorised" if lost == "ownership" else None
            change_holder(mine, user=asha.pk, rights=rights, client=BANK_CLIENT, key="n")
        assert apply_due_raises(now=NOW + COOLING_OFF) == 0
        assert held(mine).daily_limit == 100
        refused = LimitRaise.objects.get()
        assert (refused.state, refused.reason[:32]) == (
            "refused",
            "Whoever asked for it is no activ",
        )


@pytest.mark.usefixtures("fresh_bank")
def test_a_raise_is_done_once_by_many_watches(asha: User, mine: int) -> None:
    lower(asha, mine, transfer_limit=100)
    # Outside a transaction, where the short way is open.
    with pytest.raises(Refused) as refused:
        post(Transfer(mine, customer_account(person()), inr(101)), order=order())
    assert refused.value.reason is Code.TRANSFER_LIMIT_EXCEEDED
    lower(asha, mine, daily_limit=100)
    wish_higher(asha, mine, daily_limit=200, transfer_limit=200)
    barrier = threading.Barrier(4)

    def work(_number: int) -> int:
        barrier.wait()
        try:
            return apply_due_raises(now=NOW + COOLING_OFF)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 2
    assert (held(mine).daily_limit, held(mine).transfer_limit) == (200, 200)
    assert check_books().findings == []


@pytest.mark.django_db
class TestTheLedger:
    def test_bounds_each_transfer_hold_and_item(self) -> None:
        payer, payee = account(balance=10_000), account()
        change(payer, {Limit.TRANSFER: 100})
        with refusing(Code.TRANSFER_LIMIT_EXCEEDED):
            post(Transfer(payer, payee, inr(101)), order=order())
        post(Transfer(payer, payee, inr(100)), order=order())
        with refusing(Code.TRANSFER_LIMIT_EXCEEDED):
            hold(
                account=payer,
                payee=payee,
                amount=inr(101),
                expires_at=datetime(2100, 1, 1, tzinfo=UTC),
                order=order(),
            )
        batch = post_batch(
            [Transfer(payer, payee, inr(minor)) for minor in (100, 101, 100)], order=order()
        )
        assert batch.refusals == {1: Code.TRANSFER_LIMIT_EXCEEDED}

    def test_does_not_bound_what_is_no_spending(self) -> None:
        payer, payee = account(balance=10_000), account()
        change(payer, {Limit.TRANSFER: 100})
        post(Transfer(payer, payee, inr(101), Kind.FEE), order=order())

    def test_changes_once_under_a_key_and_only_what_is_named(self) -> None:
        number = account(balance=100, overdraft_limit=50)
        change(number, {Limit.DAILY: 70}, key="once")
        change(number, {Limit.OVERDRAFT: 10, Limit.TRANSFER: 5})
        change(number, {Limit.DAILY: 70}, key="once")
        found = held(number)
        limits = (found.overdraft_limit, found.daily_limit, found.transfer_limit)
        assert limits == (10, 70, 5)
        with refusing(Code.KEY_REUSED):
            change(number, {Limit.DAILY: 71}, key="once")

    def test_lowers_to_the_lower_of_old_and_new(self) -> None:
        number = account(daily_limit=70)
        change(number, {Limit.DAILY: 90}, is_lowering=True)
        assert held(number).daily_limit == 70
        change(number, {Limit.DAILY: None}, is_lowering=True)
        assert held(number).daily_limit == 70
        change(number, {Limit.DAILY: 60}, is_lowering=True)
        assert held(number).daily_limit == 60

    def test_refuses_limits_below_zero(self) -> None:
        number = account()
        with refusing(Code.INVALID_LIMIT):
            change(number, {Limit.DAILY: -1})

    def test_lets_nothing_else_be_changed(self) -> None:
        number = account()
        with refusing(Code.INVALID_LIMIT):
            change(number, {"balance": 1_000})  # type: ignore[dict-item]  # that is the point

    def test_bounds_nothing_any_more_once_a_limit_is_lifted(self) -> None:
        number = account(balance=1_000)
        change(number, {Limit.TRANSFER: 5})
        change(number, {Limit.TRANSFER: None})
        post(Transfer(number, account(), inr(6)), order=order())


@pytest.mark.usefixtures("branches")
def test_limits_move_along_with_their_account() -> None:
    asha = person()
    number = customer_account(asha, branch=MUM)
    lower(asha, number, transfer_limit=100)
    move_account(number, code=DEL, client=BANK_CLIENT)
    found = limits_of(number, day=NOW.date(), using=DEL)
    assert found is not None
    assert found.transfer_limit == 100
    assert lower(asha, number, daily_limit=50).limits.transfer_limit == 100


def test_a_silent_branch_keeps_no_raise_of_others_waiting(
    branches: Branches, server: TestServer
) -> None:
    asha = person()
    number = customer_account(asha, branch=DEL)
    lower(asha, number, daily_limit=100)
    wish_higher(asha, number, daily_limit=200)
    LimitRaise.objects.bulk_create(
        LimitRaise(
            account=201_000_000_017 + 100 * serial,
            limit=Limit.DAILY,
            minor=1,
            asked_by=asha,
            asked_at=NOW,
            applies_at=NOW,
        )
        for serial in range(51)
    )
    with node_down(server, branches.mumbai):
        assert apply_due_raises(now=NOW + COOLING_OFF) == 1
    assert LimitRaise.objects.filter(state="cooling").count() == 51


def change(
    number: int,
    limits: dict[Limit, int | None],
    *,
    key: str | None = None,
    is_lowering: bool = False,
) -> None:
    """Change limits as the bank does."""
    change_limits(
        number,
        limits=limits,
        is_lowering=is_lowering,
        client=BANK_CLIENT,
        key=key,
        reason="test",
    )
