"""Cash: what customers and tellers book, and what a machine and the bank's rules refuse."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User
from core import clock
from core.errors import DomainError
from core.money import Money
from tests.expectations import nothing_written
from tests.factories import BRANCH, account, bank_accounts, inr, instant, person
from transactions.cash import (
    CashChannel,
    CashFilling,
    CashRequest,
    daily_at_machine,
    deposit_cash,
    fill_with_cash,
    most_at_counter,
    withdraw_cash,
)
from transactions.chart import BankAccounts, Place
from transactions.ledger.accounts import Status, set_limits, set_status
from transactions.ledger.posting import BANK_CLIENT, Channel
from transactions.ledger.reads import balances, transfer

NOW = instant()


@pytest.fixture(autouse=True)
def self_service(settings: Settings) -> None:
    """Let customers serve themselves."""
    settings.BANK_SELF_SERVICE_CASH = True


@pytest.fixture
def asha(db: None) -> User:  # noqa: ARG001  # people are in the database
    """Give a customer."""
    return person()


@pytest.fixture
def api(asha: User) -> Client:
    """Give a client that the customer is logged in with."""
    client = Client()
    client.force_login(asha)
    return client


def fill(place: Any = Place.MACHINE, *, minor: int = 10_000_000) -> int:
    """Bring cash to the branch's machine or till and return its number."""
    filling = CashFilling(
        user=BANK_CLIENT, key=str(uuid4()), node="default", place=place, amount=inr(minor)
    )
    fill_with_cash(filling, now=NOW)
    return BankAccounts(BRANCH, "INR").number(place)


def wish(
    user: int,
    number: int,
    minor: int,
    *,
    channel: CashChannel = Channel.MACHINE,
    key: str | None = None,
    currency: str = "INR",
) -> CashRequest:
    """Return a wish to move cash."""
    return CashRequest(
        user=user,
        key=key or str(uuid4()),
        channel=channel,
        account=number,
        amount=Money(minor, currency),
    )


def refused(book: Any, request: CashRequest) -> DomainError:
    """Expect a booking to be refused, with nothing written, and return the refusal."""
    with nothing_written(), pytest.raises(DomainError) as caught, transaction.atomic():
        book(request, now=NOW)
    return caught.value


class TestAtTheMachine:
    def test_cash_paid_in_is_on_the_account_and_in_the_machine(self, asha: User) -> None:
        machine, mine = fill(minor=500), account(owner=asha)
        receipt = deposit_cash(wish(asha.pk, mine, 20_000), now=NOW)
        posted = transfer(receipt.transfer_id)
        assert posted is not None
        assert (posted.debit, posted.credit) == (machine, mine)
        assert (posted.kind, posted.channel) == ("deposit", "machine")
        assert {one.number: one.balance for one in balances([machine, mine])} == {
            machine: 20_500,
            mine: 20_000,
        }

    def test_cash_taken_out_is_gone_from_both(self, asha: User) -> None:
        machine, mine = fill(minor=50_000), account(balance=30_000, owner=asha)
        receipt = withdraw_cash(wish(asha.pk, mine, 20_000), now=NOW)
        assert (receipt.debit_after, receipt.credit_after) == (10_000, 30_000)
        assert balances([machine])[0].balance == 30_000

    def test_the_same_wish_twice_moves_cash_once_even_when_the_machine_is_empty_by_then(
        self, asha: User
    ) -> None:
        fill(minor=20_000)
        mine = account(balance=30_000, owner=asha)
        first = withdraw_cash(wish(asha.pk, mine, 20_000, key="once"), now=NOW)
        again = withdraw_cash(wish(asha.pk, mine, 20_000, key="once"), now=NOW)
        assert again.replayed
        assert again.transfer_id == first.transfer_id

    def test_more_than_the_machine_holds_is_refused(self, asha: User) -> None:
        fill(minor=19_999)
        mine = account(balance=30_000, owner=asha)
        refusal = refused(withdraw_cash, wish(asha.pk, mine, 20_000))
        assert (refusal.code, refusal.field) == ("insufficient_cash", "amount")

    def test_more_than_the_account_holds_is_refused(self, asha: User) -> None:
        fill()
        mine = account(balance=19_999, owner=asha)
        assert refused(withdraw_cash, wish(asha.pk, mine, 20_000)).code == "insufficient_funds"

    def test_a_withdrawal_counts_against_what_the_account_may_spend(self, asha: User) -> None:
        fill()
        mine = account(balance=30_000, owner=asha)
        set_limits(mine, overdraft_limit=0, daily_limit=9_999, client=BANK_CLIENT, reason="test")
        assert refused(withdraw_cash, wish(asha.pk, mine, 10_000)).code == "daily_limit_exceeded"

    @pytest.mark.parametrize("book", [deposit_cash, withdraw_cash])
    def test_a_day_has_a_limit_each_way(self, asha: User, book: Any) -> None:
        fill()
        most = daily_at_machine("INR").minor
        mine = account(balance=2 * most, owner=asha)
        book(wish(asha.pk, mine, most - 100), now=NOW)
        assert refused(book, wish(asha.pk, mine, 101)).code == "cash_limit_exceeded"
        book(wish(asha.pk, mine, 100), now=NOW)
        other = withdraw_cash if book is deposit_cash else deposit_cash
        other(wish(asha.pk, mine, most), now=NOW)

    def test_a_day_has_a_limit_for_each_account(self, asha: User) -> None:
        fill()
        most = daily_at_machine("INR").minor
        for _account in range(2):
            deposit_cash(wish(asha.pk, account(owner=asha), most), now=NOW)

    def test_only_customers_own_accounts_are_served(self, asha: User) -> None:
        machine, theirs = fill(), account(balance=30_000, owner=person())
        for number in (theirs, machine):
            withdrawal = refused(withdraw_cash, wish(asha.pk, number, 100))
            assert (withdrawal.code, withdrawal.field) == ("unknown_debit_account", "account")
            deposit = refused(deposit_cash, wish(asha.pk, number, 100))
            assert (deposit.code, deposit.field) == ("unknown_credit_account", "account")

    def test_a_frozen_account_is_not_served(self, asha: User) -> None:
        fill()
        mine = account(balance=30_000, owner=asha)
        set_status(mine, status=Status.FROZEN, client=BANK_CLIENT, reason="test")
        refusal = refused(withdraw_cash, wish(asha.pk, mine, 100))
        assert (refusal.code, refusal.field) == ("debit_account_frozen", "account")
        assert refused(deposit_cash, wish(asha.pk, mine, 100)).code == "credit_account_frozen"

    def test_a_currency_without_a_machine_is_named(self, asha: User) -> None:
        bank_accounts()
        mine = account(currency="KWD", owner=asha)
        refusal = refused(deposit_cash, wish(asha.pk, mine, 100, currency="KWD"))
        assert (refusal.code, refusal.field) == ("no_cash_in_currency", "currency")

    def test_another_currency_than_the_accounts_is_refused(self, asha: User) -> None:
        fill()
        mine = account(currency="KWD", owner=asha)
        assert refused(deposit_cash, wish(asha.pk, mine, 100)).code in {
            "wrong_currency",
            "currencies_differ",
        }

    def test_is_shut_where_the_bank_does_not_want_it(self, asha: User, settings: Settings) -> None:
        fill()
        settings.BANK_SELF_SERVICE_CASH = False
        mine = account(balance=30_000, owner=asha)
        for book in (deposit_cash, withdraw_cash):
            refusal = refused(book, wish(asha.pk, mine, 100))
            assert (refusal.code, refusal.http_status) == ("self_service_cash_off", 403)


class TestAtTheCounter:
    def test_a_teller_books_for_anybody_against_the_till(
        self, asha: User, settings: Settings
    ) -> None:
        settings.BANK_SELF_SERVICE_CASH = False
        till, mine = fill(Place.TILL), account(owner=asha)
        teller = person().pk
        beyond_machines = daily_at_machine("INR").minor + 1
        deposit_cash(wish(teller, mine, beyond_machines, channel=Channel.TELLER), now=NOW)
        receipt = withdraw_cash(wish(teller, mine, 1, channel=Channel.TELLER), now=NOW)
        posted = transfer(receipt.transfer_id)
        assert posted is not None
        assert (posted.credit, posted.channel) == (till, "teller")

    def test_one_booking_has_a_limit(self, asha: User) -> None:
        fill(Place.TILL)
        most = most_at_counter("INR").minor
        teller, mine = person().pk, account(owner=asha)
        deposit_cash(wish(teller, mine, most, channel=Channel.TELLER), now=NOW)
        refusal = refused(deposit_cash, wish(teller, mine, most + 1, channel=Channel.TELLER))
        assert (refusal.code, refusal.field) == ("counter_limit_exceeded", "amount")

    def test_what_is_booked_there_leaves_the_machines_limit_alone(self, asha: User) -> None:
        fill()
        most = daily_at_machine("INR").minor
        mine = account(owner=asha)
        deposit_cash(wish(person().pk, mine, most, channel=Channel.TELLER), now=NOW)
        deposit_cash(wish(asha.pk, mine, most), now=NOW)


class TestTheLimitOfADay:
    def test_begins_anew_with_the_banks_day(self, asha: User) -> None:
        """What was booked before the day began, by the bank's clock, counts no longer."""
        fill()
        most = daily_at_machine("INR").minor
        mine = account(owner=asha)
        today = clock.now()
        deposit_cash(wish(asha.pk, mine, most), now=today)
        with pytest.raises(DomainError, match="more cash"), transaction.atomic():
            deposit_cash(wish(asha.pk, mine, 1), now=today)
        deposit_cash(wish(asha.pk, mine, most), now=today + timedelta(days=1))


class TestTheApi:
    def send(self, api: Client, what: str, body: object, **headers: str) -> Any:
        """Send a deposit or a withdrawal."""
        return api.post(
            f"/api/v1/{what}",
            json.dumps(body),
            content_type="application/json",
            headers={"Idempotency-Key": str(uuid4()), **headers},
        )

    def body(self, number: int, **changes: str) -> dict[str, str]:
        """Return what is sent."""
        return {"account": str(number), "amount": "200.00", "currency": "INR", **changes}

    def test_books_and_says_where_to_find_it(self, api: Client, asha: User) -> None:
        fill()
        mine = account(balance=50_000, owner=asha)
        key = {"Idempotency-Key": "cash-1"}
        paid_in = self.send(api, "deposits", self.body(mine, memo="tips"), **key)
        assert paid_in.status_code == 201
        answer = paid_in.json()
        assert answer.pop("recorded_at")
        assert answer == {
            "id": answer["id"],
            "account": str(mine),
            "amount": "200.00",
            "currency": "INR",
            "memo": "tips",
            "channel": "machine",
            "balance_after": "700.00",
        }
        shown = api.get(paid_in.headers["Location"]).json()
        assert (shown["kind"], shown["channel"]) == ("deposit", "machine")
        again = self.send(api, "deposits", self.body(mine, memo="tips"), **key)
        assert again.headers["Idempotency-Replayed"] == "true"
        taken = self.send(api, "withdrawals", self.body(mine)).json()
        assert taken["balance_after"] == "500.00"

    @pytest.mark.parametrize(
        ("changes", "pointer", "code"),
        [
            ({"account": "1"}, "/account", "invalid_account_number"),
            ({"amount": "-1"}, "/amount", "amount_has_sign"),
            ({"amount": "999999"}, "/amount", "cash_limit_exceeded"),
            ({"currency": "XXX"}, "/currency", "unknown_currency"),
            ({"memo": "a\nb"}, "/memo", "text_has_control"),
            ({"till": "1"}, "/till", "unknown_field"),
        ],
    )
    def test_names_what_is_wrong(
        self, api: Client, asha: User, changes: dict[str, str], pointer: str, code: str
    ) -> None:
        fill()
        mine = account(owner=asha)
        with nothing_written(), transaction.atomic():
            answer = self.send(api, "deposits", self.body(mine, **changes))
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, code)
        assert problem["errors"][0]["pointer"] == pointer

    def test_is_for_those_who_are_logged_in(self) -> None:
        for what in ("deposits", "withdrawals"):
            assert self.send(Client(), what, {}).status_code == 401

    def test_is_shut_where_the_bank_does_not_want_it(
        self, api: Client, asha: User, settings: Settings
    ) -> None:
        settings.BANK_SELF_SERVICE_CASH = False
        answer = self.send(api, "deposits", self.body(account(owner=asha)))
        assert (answer.status_code, answer.json()["code"]) == (403, "self_service_cash_off")
