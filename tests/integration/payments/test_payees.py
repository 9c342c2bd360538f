"""Payees: saved with a code, paid little for a day, and nobody else's business."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.errors import CheckViolation

from accounts.callers import Caller
from accounts.models import User
from accounts.step_up import StepUpRequired
from core.api.step_up import StepUp
from core.errors import DomainError
from tests.branches import DEL, MUM, Branches
from tests.expectations import refusing
from tests.factories import customer_account, inr, order, person
from tests.integration.payments.conftest import by_key, confirmed
from tests.outages import node_down
from tests.servers import TestServer
from transactions.branches.outcomes import BranchDown
from transactions.chart import BankAccounts, Place, open_chart
from transactions.governing import limit_payee
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import Channel, Kind, Transfer, post
from transactions.parties import parties_of
from transactions.payments import cooling
from transactions.payments.cooling import COOLING_OFF, cooling_limit, cooling_until, keep_cooling
from transactions.payments.models import Payee, PayeeCooling
from transactions.payments.parties import payee_account
from transactions.payments.payees import (
    PayeeExists,
    UnknownPayee,
    add_payee,
    payee_of_person,
    payees_of,
    remove_payee,
    rename_payee,
)
from transactions.services import TransferRequest, transfer_funds

NOW = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
NO_CODE = StepUp(fingerprint="", challenge=None, code=None)
MOST = cooling_limit("INR").minor


def added(user: User, account: int, nickname: str = "Rent", now: datetime = NOW) -> Payee:
    """Add a payee by an API key."""
    payee, _is_new = add_payee(
        by_key(user), account=account, nickname=nickname, step_up=NO_CODE, now=now
    )
    return payee


def pay(user: User, debit: int, credit: int, minor: int, *, key: str) -> None:
    """Send money as a customer does."""
    request = TransferRequest(
        user=user.pk, key=key, channel=Channel.API, debit=debit, credit=credit, amount=inr(minor)
    )
    transfer_funds(request, now=NOW)


@pytest.mark.django_db
class TestAdding:
    def test_tells_whose_the_account_is(self, asha: User, theirs: int) -> None:
        payee = added(asha, theirs)
        assert (payee.name, payee.currency, payee.nickname) == ("Vikram S.", "INR", "Rent")
        assert payees_of(asha.pk, after=None, limit=5) == [payee]

    def test_needs_a_code_of_people(self, asha: User, theirs: int) -> None:
        caller = Caller(
            pk=asha.pk, role="customer", scopes=None, via="session", credential="a session"
        )

        def ask(step_up: StepUp) -> tuple[Payee, bool]:
            return add_payee(caller, account=theirs, nickname="Rent", step_up=step_up, now=NOW)

        with pytest.raises(StepUpRequired):
            ask(NO_CODE)
        assert not Payee.objects.exists()
        payee, is_new = confirmed(ask)
        assert is_new
        # What is there already is shown without another code.
        assert ask(NO_CODE) == (payee, False)

    def test_twice_adds_one_and_under_another_name_none(self, asha: User, theirs: int) -> None:
        assert added(asha, theirs) == added(asha, theirs)
        with pytest.raises(PayeeExists, match="as Rent"):
            added(asha, theirs, "Vikram")

    def test_is_refused_for_accounts_that_cannot_be_paid(self, asha: User, mine: int) -> None:
        for number in (BankAccounts(100, "INR").number(Place.VAULT), mine + 100):
            with pytest.raises(Refused) as refused:
                added(asha, number)
            assert refused.value.reason is Code.UNKNOWN_CREDIT_ACCOUNT
        assert not Payee.objects.exists()

    @pytest.mark.parametrize(
        ("nickname", "code"),
        [
            ("  ", "nickname_missing"),
            ("x" * 41, "text_too_long"),
            ("ren\0t", "text_has_null"),
            ("rent\u202e", "text_has_format"),
        ],
    )
    def test_is_refused_under_names_that_are_none(
        self, asha: User, theirs: int, nickname: str, code: str
    ) -> None:
        with pytest.raises(DomainError) as refused:
            added(asha, theirs, nickname)
        assert (refused.value.code, refused.value.field) == (code, "nickname")
        assert not Payee.objects.exists()


@pytest.mark.django_db
class TestANewPayee:
    def test_is_paid_only_so_much_for_a_day(self, asha: User, mine: int, theirs: int) -> None:
        added(asha, theirs)
        pay(asha, mine, theirs, MOST, key="first")
        with refusing(Code.PAYEE_LIMIT_EXCEEDED):
            pay(asha, mine, theirs, 1, key="second")
        keep_cooling(now=NOW + COOLING_OFF - timedelta(seconds=1))
        with refusing(Code.PAYEE_LIMIT_EXCEEDED):
            pay(asha, mine, theirs, 1, key="third")
        keep_cooling(now=NOW + COOLING_OFF)
        pay(asha, mine, theirs, 1, key="fourth")
        assert not PayeeCooling.objects.exists()

    def test_that_is_removed_and_added_again_cools_on(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        remove_payee(asha.pk, payee=added(asha, theirs).pk)
        with refusing(Code.PAYEE_LIMIT_EXCEEDED):
            pay(asha, mine, theirs, MOST + 1, key="removed")
        later = NOW + timedelta(hours=1)
        again = added(asha, theirs, now=later)
        assert cooling_until([again], now=later) == {theirs: NOW + COOLING_OFF}

    def test_that_is_ones_own_needs_no_cooling(self, asha: User, mine: int) -> None:
        savings = customer_account(asha)
        added(asha, savings)
        pay(asha, mine, savings, MOST + 1, key="own")

    def test_does_not_hold_up_what_others_are_paid(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        added(asha, theirs)
        pay(asha, mine, customer_account(person()), MOST + 1, key="another")


@pytest.mark.django_db
class TestAPayee:
    def test_can_be_renamed(self, asha: User, theirs: int) -> None:
        payee = added(asha, theirs)
        assert rename_payee(asha.pk, payee=payee.pk, nickname=" Landlord ").nickname == "Landlord"

    def test_is_listed_page_by_page_newest_first(self, asha: User) -> None:
        made = [added(asha, customer_account(person()), f"No. {place}") for place in range(3)]
        first = payees_of(asha.pk, after=None, limit=2)
        position = [first[-1].added_at.isoformat(), str(first[-1].pk)]
        rest = payees_of(asha.pk, after=position, limit=2)
        assert {one.pk for one in first + rest} == {one.pk for one in made}
        assert len(first) + len(rest) == 3

    def test_is_nobody_elses(self, asha: User, theirs: int) -> None:
        payee, stranger = added(asha, theirs), person().pk
        for touch in (
            lambda: payee_of_person(stranger, payee=payee.pk),
            lambda: rename_payee(stranger, payee=payee.pk, nickname="x"),
            lambda: remove_payee(stranger, payee=payee.pk),
        ):
            with pytest.raises(UnknownPayee):
                touch()
        assert payees_of(stranger, after=None, limit=5) == []


def test_a_new_payee_cools_off_at_a_branch_that_was_silent(
    branches: Branches, server: TestServer
) -> None:
    asha, vikram = person(), person(full_name="Vikram Singh")
    mine = customer_account(asha, branch=MUM)
    theirs = customer_account(vikram, branch=DEL)
    with node_down(server, branches.delhi), pytest.raises(BranchDown):
        added(asha, theirs)
    assert not Payee.objects.exists()
    with node_down(server, branches.mumbai):
        added(asha, theirs)
        keep_cooling(now=NOW)
        assert [cooling.is_set for cooling in PayeeCooling.objects.all()] == [False]
        keeps_no_other_waiting(customer_account(asha, branch=DEL), behind=mine)
    keep_cooling(now=NOW)
    assert [cooling.is_set for cooling in PayeeCooling.objects.all()] == [True]
    vault = open_chart(branch=201, currency="INR", using=MUM).number(Place.VAULT)
    deposit = Transfer(vault, mine, inr(2 * MOST), Kind.DEPOSIT)
    post(deposit, order=order(), using=MUM)
    with pytest.raises(Refused) as refused:
        pay(asha, mine, theirs, MOST + 1, key="after")
    assert refused.value.reason is Code.PAYEE_LIMIT_EXCEEDED


def keeps_no_other_waiting(other: int, *, behind: int) -> None:
    """Check that an account cools off behind more than are tried at once of a silent branch."""
    more = [
        PayeeCooling(account=behind, payee=payee, daily_limit=1, until=NOW) for payee in range(201)
    ]
    PayeeCooling.objects.bulk_create(
        [*more, PayeeCooling(account=other, payee=1, daily_limit=1, until=NOW + COOLING_OFF)]
    )
    keep_cooling(now=NOW)
    assert PayeeCooling.objects.get(account=other).is_set
    PayeeCooling.objects.filter(daily_limit=1).delete()


@pytest.mark.django_db
def test_what_cannot_be_done_for_one_keeps_no_other_of_its_branch_waiting(
    mine: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = customer_account(person()), customer_account(person())
    PayeeCooling.objects.bulk_create(
        PayeeCooling(account=mine, payee=payee, daily_limit=1, until=NOW + timedelta(days=days))
        for days, payee in enumerate((broken, sound), start=1)
    )

    def limit(number: int, *, payee: int, **how: Any) -> None:
        if payee == broken:
            raise CheckViolation
        limit_payee(number, payee=payee, **how)

    monkeypatch.setattr(cooling, "limit_payee", limit)
    keep_cooling(now=NOW)
    is_set = PayeeCooling.objects.values_list("payee", "is_set")
    assert dict(is_set) == {broken: False, sound: True}


@pytest.mark.django_db
def test_an_account_is_confirmed_by_its_owners_short_name_of_this_moment(theirs: int) -> None:
    parties_of([theirs])
    for name, short in (("Vikram Singh", "Vikram S."), ("Vikram Rao", "Vikram R.")):
        User.objects.filter(holdings__account=theirs).update(full_name=name)
        found = payee_account(theirs)
        assert (found.name, found.currency) == (short, "INR")
