"""Movements that a customer says are wrong: who may, once, and what the bank answers."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client

from accounts.callers import Caller
from accounts.models import Approval, Holding, Role, User, Viewing
from accounts.models.audit_entries import AuditEntry
from core import clock
from notifications.notices.models import Notice
from tests.expectations import nothing_written
from tests.factories import customer_account, inr, order, person
from transactions.disputes.answering import OwnDispute, take_dispute
from transactions.disputes.models import Dispute, DisputeReason
from transactions.disputes.opening import DAYS, DisputeTooLate, open_dispute
from transactions.ledger.accounts import set_holder
from transactions.ledger.posting import BANK_CLIENT, Kind, Transfer, post
from transactions.selectors import recorded_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def asha() -> User:
    """Give a customer."""
    return person()


@pytest.fixture
def number(asha: User) -> int:
    """Return the customer's account, with ₹100."""
    return customer_account(asha, balance=10_000)


@pytest.fixture
def paid(number: int) -> UUID:
    """Return a transfer that she sent to somebody."""
    payee = customer_account(person(full_name="Vikram Shah"))
    return post(Transfer(number, payee, inr(500)), order=order()).transfer_id


@pytest.fixture
def officer() -> User:
    """Give an admin who works on disputes."""
    found = person(full_name="Anjali Bhatt", role=Role.ADMIN, is_staff=True)
    named = ("answer_dispute", "view_dispute", "view_approval")
    found.user_permissions.set(Permission.objects.filter(codename__in=named))
    return found


def browser(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def caller(user: User) -> Caller:
    return Caller(pk=user.pk, role=user.role, scopes=None, via="session", credential="test")


def disputed(user: User, transfer_id: UUID) -> Dispute:
    """Return a new case about a transfer."""
    case, is_new = open_dispute(
        caller(user),
        transfer_id=transfer_id,
        reason=DisputeReason.NOT_MINE,
        words="",
        now=clock.now(),
    )
    assert is_new
    return case


def say(client: Client, transfer_id: object, **body: str) -> Any:
    """Say over the API that a transfer is wrong."""
    with transaction.atomic():
        return client.post(
            f"/api/v1/transfers/{transfer_id}/disputes",
            json.dumps(body),
            content_type="application/json",
        )


class TestACase:
    def test_is_opened_once_and_seen_by_all_who_hold_the_account(
        self, asha: User, number: int, paid: UUID
    ) -> None:
        authorised = person()
        set_holder(number, user=authorised.pk, rights="authorised", client=BANK_CLIENT)
        Holding.objects.create(account_id=number, user=authorised, rights="authorised")
        client = browser(asha)
        with nothing_written():
            first = say(client, paid, reason="twice", words="once in the shop")
        again = say(client, paid, reason="twice", words="once in the shop")
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        other = say(browser(authorised), paid, reason="other", words="who is that?")
        assert (other.status_code, other.json()["code"]) == (409, "dispute_under_way")
        assert other.json()["number"] == first.json()["number"]
        seen = browser(authorised).get(f"/api/v1/transfers/{paid}/disputes").json()["disputes"]
        assert seen == browser(authorised).get("/api/v1/disputes").json()["disputes"]
        assert [one["words"] for one in seen] == ["once in the shop"]
        assert AuditEntry.objects.filter(pgh_obj_model="transactions.Dispute").count() == 1

    def test_is_not_seen_by_the_other_side_which_may_have_its_own(
        self, asha: User, paid: UUID
    ) -> None:
        disputed(asha, paid)
        vikram = User.objects.get(full_name="Vikram Shah")
        client = browser(vikram)
        assert client.get(f"/api/v1/transfers/{paid}/disputes").json() == {"disputes": []}
        assert say(client, paid, reason="wrong_amount").status_code == 201
        assert Dispute.objects.count() == 2

    def test_needs_what_is_wrong(self, asha: User, paid: UUID) -> None:
        client = browser(asha)
        for body, code in (
            ({}, "required"),
            ({"reason": "because"}, "not_a_choice"),
            ({"reason": "other"}, "words_missing"),
            ({"reason": "other", "words": "x" * 201}, "text_too_long"),
            ({"reason": "twice", "state": "accepted"}, "unknown_field"),
        ):
            answer = say(client, paid, **body)
            assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert not Dispute.objects.exists()

    def test_is_only_about_what_one_may_see(self, asha: User, number: int) -> None:
        assert number
        payer, payee = customer_account(person(), balance=500), customer_account(person())
        theirs = post(Transfer(payer, payee, inr(100)), order=order()).transfer_id
        for transfer_id in (theirs, uuid4()):
            answer = say(browser(asha), transfer_id, reason="twice")
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_transfer")

    def test_comes_too_late_after_so_many_days(self, asha: User, paid: UUID) -> None:
        def ask(days: int) -> Dispute:
            case, _is_new = open_dispute(
                caller(asha),
                transfer_id=paid,
                reason=DisputeReason.NOT_MINE,
                words="",
                now=recorded_at(paid) + timedelta(days=days, minutes=-1),
            )
            return case

        with pytest.raises(DisputeTooLate, match=f"{DAYS} days"):
            ask(DAYS + 1)
        assert ask(DAYS).state == "open"


class TestAnAnswer:
    def test_is_told_and_stands_for_good(self, asha: User, officer: User, paid: UUID) -> None:
        case = disputed(asha, paid)
        desk, page = browser(officer), f"/admin/transactions/dispute/{case.pk}"
        assert desk.post(f"{page}/take/", {"token": "x"}).status_code == 302
        case.refresh_from_db()
        assert (case.state, case.taken_by_id) == ("in_work", officer.pk)
        answer = {"state": "declined", "reason": "You signed for it."}
        assert desk.post(f"{page}/answer/", answer).status_code == 302
        late = desk.post(f"{page}/answer/", {"state": "accepted", "reason": "No, sorry."})
        assert (late.status_code, b"has its answer already" in late.content) == (422, True)
        notice = Notice.objects.get(person=asha, kind="dispute")
        assert notice.data["words"] == "You signed for it."
        shown = browser(asha).get(f"/transfers/{paid}/").content.decode()
        for words in ("declined", "You signed for it.", "Anjali Bhatt"):
            assert words in shown
        assert browser(asha).get("/inbox/").content.count(b"You signed for it.") == 1
        assert Viewing.objects.filter(subject=asha, what="disputes").exists()
        assert say(browser(asha), paid, reason="twice").status_code == 201

    def test_asks_for_the_reversal_that_another_admin_approves(
        self, asha: User, officer: User, paid: UUID
    ) -> None:
        case = disputed(asha, paid)
        desk, page = browser(officer), f"/admin/transactions/dispute/{case.pk}"
        wrong = {"state": "declined", "reason": "No.", "reverse": "on"}
        assert desk.post(f"{page}/answer/", wrong).status_code == 422
        right = {"state": "accepted", "reason": "You are right.", "reverse": "on"}
        with nothing_written():
            assert desk.post(f"{page}/answer/", right).status_code == 302
        asked = Approval.objects.get(action="transactions.reverse_transfer")
        assert (asked.maker_id, asked.payload) == (officer.pk, {"transfer_id": str(paid)})
        assert f"Request {asked.pk}" in desk.get(f"{page}/change/").content.decode()

    def test_is_not_given_when_the_reversal_cannot_be_asked_for(
        self, asha: User, officer: User, number: int
    ) -> None:
        shop = customer_account(person())
        bought = post(Transfer(number, shop, inr(100), Kind.CARD), order=order()).transfer_id
        case = disputed(asha, bought)
        answer = {"state": "accepted", "reason": "Yes.", "reverse": "on"}
        page = f"/admin/transactions/dispute/{case.pk}/answer/"
        assert browser(officer).post(page, answer).status_code == 422
        case.refresh_from_db()
        assert (case.state, Notice.objects.filter(kind="dispute").count()) == ("open", 0)

    def test_is_for_others_than_whom_it_concerns(self, officer: User) -> None:
        mine = customer_account(officer, balance=500)
        paid = post(Transfer(mine, customer_account(person()), inr(100)), order=order())
        case = disputed(officer, paid.transfer_id)
        answer = browser(officer).post(f"/admin/transactions/dispute/{case.pk}/take/", {"x": "y"})
        assert b"what concerns you" in answer.content
        stranger = person(role=Role.ADMIN, is_staff=True)
        assert browser(stranger).get("/admin/transactions/dispute/").status_code == 403
        taken = take_dispute(case.pk, admin=caller(stranger))
        assert taken.state == "in_work"

    def test_is_not_for_who_was_paid(self, officer: User, asha: User, paid: UUID) -> None:
        case = disputed(asha, paid)
        payee = post(
            Transfer(customer_account(asha, balance=500), customer_account(officer), inr(100)),
            order=order(),
        )
        other = disputed(asha, payee.transfer_id)
        assert take_dispute(case.pk, admin=caller(officer)).state == "in_work"
        with pytest.raises(OwnDispute):
            take_dispute(other.pk, admin=caller(officer))


class TestPages:
    def test_open_a_case_without_scripts_and_list_it(self, asha: User, paid: UUID) -> None:
        client = browser(asha)
        assert "Something is wrong" in client.get(f"/transfers/{paid}/").content.decode()
        wrong = client.post(f"/transfers/{paid}/dispute/", {"reason": "other", "words": ""})
        assert (wrong.status_code, b"Please say what is wrong." in wrong.content) == (422, True)
        form = {"reason": "cash", "words": "₹100 short"}
        page: Any = client.post(f"/transfers/{paid}/dispute/", form, follow=True)
        case = Dispute.objects.get()
        for words in (f"number {case.pk}", "₹100 short", "open"):
            assert words in page.content.decode()
        assert "Something is wrong" not in page.content.decode()
        assert "₹100 short" in client.get("/disputes/").content.decode()

    def test_show_staff_a_customers_cases_read_only(self, asha: User, paid: UUID) -> None:
        asha.refresh_from_db()
        case = disputed(asha, paid)
        page = browser(person(role=Role.EMPLOYEE)).get(f"/staff/customers/{asha.number}/disputes/")
        text = page.content.decode()
        assert f"/staff/transfers/{case.transfer_id}/" in text
        assert "I did not make or allow this payment" in text
