"""Limits and holds at their edges: late days, expiry in the middle, both roads to one refusal."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import sleep

import psycopg
import pytest
from django.db import connection

from tests.expectations import refusing
from tests.factories import TODAY, TOMORROW, account, bank_accounts, inr, order
from tests.servers import TestServer
from transactions.chart import Place
from transactions.ledger.accounts import set_limits, set_payee_limit
from transactions.ledger.codes import Code, Refused
from transactions.ledger.connection import fetch_one
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import Transfer, capture, hold, post, post_batch, release
from transactions.ledger.reads import balances

ALWAYS_LATER = """
CREATE SEQUENCE ledger.looks;
GRANT USAGE ON SEQUENCE ledger.looks TO bank_owner;
CREATE FUNCTION ledger.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$
    SELECT CASE
        WHEN nextval('ledger.looks') <= 1 THEN pg_catalog.clock_timestamp()
        ELSE pg_catalog.clock_timestamp() + interval '1 day'
    END
$$;
"""


def in_an_hour() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


@pytest.mark.django_db
class TestALateOrderOfYesterday:
    """Around midnight, an order of the old day may come after one of the new."""

    @pytest.mark.parametrize("ending", ["capture", "release"])
    def test_gives_nothing_back_to_the_new_day(self, ending: str) -> None:
        payer, payee = account(balance=10_000, daily_limit=1_000), account()
        set_payee_limit(payer, payee=payee, daily_limit=1_000, client=0, reason="asked")
        held = hold(
            account=payer, payee=payee, amount=inr(900), expires_at=in_an_hour(), order=order()
        ).hold_id
        post(Transfer(payer, payee, inr(1_000)), order=order(day=TOMORROW))
        if ending == "capture":
            capture(held, minor=1, order=order(day=TODAY))
        else:
            release(held, order=order(day=TODAY))
        with refusing(Code.DAILY_LIMIT_EXCEEDED):
            post(Transfer(payer, payee, inr(1)), order=order(day=TOMORROW))

    @pytest.mark.parametrize("ending", ["capture", "release"])
    def test_gives_nothing_back_to_the_payee_on_the_new_day(self, ending: str) -> None:
        payer, payee = account(balance=10_000), account()
        set_payee_limit(payer, payee=payee, daily_limit=1_000, client=0, reason="asked")
        held = hold(
            account=payer, payee=payee, amount=inr(900), expires_at=in_an_hour(), order=order()
        ).hold_id
        post(Transfer(payer, payee, inr(1_000)), order=order(day=TOMORROW))
        if ending == "capture":
            capture(held, minor=1, order=order(day=TODAY))
        else:
            release(held, order=order(day=TODAY))
        with refusing(Code.PAYEE_LIMIT_EXCEEDED):
            post(Transfer(payer, payee, inr(1)), order=order(day=TOMORROW))


@pytest.mark.django_db
@pytest.mark.parametrize("limit", [Code.DAILY_LIMIT_EXCEEDED, Code.PAYEE_LIMIT_EXCEEDED])
def test_a_hold_of_yesterday_that_runs_out_gives_nothing_back_to_today(limit: Code) -> None:
    payer, payee = payer_and_payee(limit)
    end = hold_shortly(payer, payee, 900)
    post(Transfer(payer, payee, inr(1_000)), order=order(day=TOMORROW))
    wait_past(end)
    with refusing(limit):
        post(Transfer(payer, payee, inr(1)), order=order(day=TOMORROW))


@pytest.mark.django_db
@pytest.mark.parametrize("is_tidied", [True, False])
@pytest.mark.parametrize("road", ["single", "batch", "hold"])
@pytest.mark.parametrize("limit", [Code.DAILY_LIMIT_EXCEEDED, Code.PAYEE_LIMIT_EXCEEDED])
def test_a_hold_that_ran_out_counts_against_no_limit_of_its_day(
    limit: Code, road: str, *, is_tidied: bool
) -> None:
    payer, payee = payer_and_payee(limit)
    post(Transfer(payer, payee, inr(50)), order=order())
    wait_past(hold_shortly(payer, payee, 900))
    if is_tidied:
        fetch_one("expire_holds", {}, "default")
    with refusing(limit):
        spend(payer, payee, 951, road=road)
    spend(payer, payee, 950, road=road)
    with refusing(limit):
        spend(payer, payee, 1, road=road)


def payer_and_payee(limit: Code) -> tuple[int, int]:
    """Return an account that may spend 1,000 a day, or pay so much to the other one."""
    is_daily = limit is Code.DAILY_LIMIT_EXCEEDED
    payer, payee = account(balance=10_000, daily_limit=1_000 if is_daily else None), account()
    if not is_daily:
        set_payee_limit(payer, payee=payee, daily_limit=1_000, client=0, reason="asked")
    return payer, payee


def hold_shortly(payer: int, payee: int, minor: int) -> datetime:
    """Set money aside for half a second, and return when that is over."""
    soon = datetime.now(UTC) + timedelta(seconds=0.5)
    hold(account=payer, payee=payee, amount=inr(minor), expires_at=soon, order=order())
    return soon


def wait_past(end: datetime) -> None:
    """Wait until an instant is over."""
    sleep(max((end - datetime.now(UTC)).total_seconds(), 0) + 0.01)


def spend(payer: int, payee: int, minor: int, *, road: str) -> None:
    """Pay or set aside by one of the roads; raises what refuses it."""
    if road == "single":
        post(Transfer(payer, payee, inr(minor)), order=order())
    elif road == "hold":
        hold(account=payer, payee=payee, amount=inr(minor), expires_at=in_an_hour(), order=order())
    else:
        batch = post_batch([Transfer(payer, payee, inr(minor))], order=order())
        for code in batch.refusals.values():
            raise Refused(code)


@pytest.mark.django_db
@pytest.mark.parametrize("limit", ["daily", "payee"])
def test_a_used_reference_is_named_before_a_limit_whatever_the_road(limit: str) -> None:
    payer = account(balance=10_000, daily_limit=100 if limit == "daily" else None)
    payee = account()
    if limit == "payee":
        set_payee_limit(payer, payee=payee, daily_limit=100, client=0, reason="asked")
    post(Transfer(payer, payee, inr(100), reference="rent"), order=order(client=7))
    again = Transfer(payer, payee, inr(100), reference="rent")
    with refusing(Code.DUPLICATE_REFERENCE):
        post(again, order=order(client=7))
    batch = post_batch([again], order=order(client=7))
    assert batch.refusals == {0: Code.DUPLICATE_REFERENCE}


@pytest.mark.usefixtures("fresh_bank")
def test_a_hold_that_runs_out_in_the_middle_of_its_capture_is_freed_once(
    server: TestServer,
) -> None:
    """The clock is asked twice: the hold is open at first, and over when the funds are checked."""
    payer, payee = account(overdraft_limit=200), account()
    held = [
        hold(
            account=payer, payee=payee, amount=inr(60), expires_at=in_an_hour(), order=order()
        ).hold_id
        for _hold in range(3)
    ]
    # The funds suffice no more, so that what is set aside is looked through for what has run out.
    set_limits(payer, overdraft_limit=0, daily_limit=None, client=0, reason="asked")
    database = str(connection.settings_dict["NAME"])
    with psycopg.connect(server.superuser_url(database)) as superuser:
        superuser.execute(ALWAYS_LATER)
    connection.close()
    with suppress(Refused):
        capture(held[0], minor=60, order=order())
    assert check_books().findings == []


@pytest.mark.django_db
def test_the_bank_s_own_summed_accounts_take_no_payee_limit() -> None:
    fees = bank_accounts().number(Place.FEE_INCOME)
    with refusing(Code.INVALID_STATUS):
        set_payee_limit(fees, payee=account(), daily_limit=1, client=0, reason="asked")


@pytest.mark.django_db
class TestALimitBelowZero:
    @pytest.mark.parametrize(("overdraft_limit", "daily_limit"), [(-1, None), (0, -1)])
    def test_is_refused_to_the_account(self, overdraft_limit: int, daily_limit: int | None) -> None:
        number = account(overdraft_limit=70, daily_limit=80)
        with refusing(Code.INVALID_LIMIT):
            set_limits(
                number,
                overdraft_limit=overdraft_limit,
                daily_limit=daily_limit,
                client=0,
                reason="asked",
            )
        (kept,) = balances([number])
        assert (kept.overdraft_limit, kept.daily_limit) == (70, 80)

    def test_is_refused_to_what_it_pays_to_one_payee(self) -> None:
        payer, payee = account(balance=100), account()
        with refusing(Code.INVALID_LIMIT):
            set_payee_limit(payer, payee=payee, daily_limit=-1, client=0, reason="asked")
        post(Transfer(payer, payee, inr(100)), order=order())


@pytest.mark.django_db
@pytest.mark.parametrize("minor", [10**15 + 1, 2**63 - 1])
@pytest.mark.parametrize("road", ["single", "batch"])
def test_the_largest_numbers_are_refused_as_such(minor: int, road: str) -> None:
    payer, payee = account(balance=10_000, overdraft_limit=None), account(balance=1)
    wish = Transfer(payer, payee, inr(minor))
    if road == "single":
        with refusing(Code.AMOUNT_TOO_LARGE):
            post(wish, order=order())
    else:
        assert post_batch([wish], order=order()).refusals == {0: Code.AMOUNT_TOO_LARGE}
    assert balances([payer])[0].balance == 10_000


@pytest.mark.usefixtures("fresh_bank")
def test_a_stranger_s_transfer_from_an_account_to_itself_is_named_so_on_the_short_way() -> None:
    known = account(balance=100)
    with pytest.raises(Refused) as refused:
        post(Transfer(known, known, inr(1)), order=order(holder=71))
    assert refused.value.reason is Code.SAME_ACCOUNT
