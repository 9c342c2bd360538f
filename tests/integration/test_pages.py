"""The pages: what they show, whom they show it, and that a form sends money once."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import Account, Branch, User
from accounts.numbers import account_number
from tests.expectations import nothing_written
from tests.factories import BRANCH, account, inr, instant, order, person
from tests.unit.test_amounts import NO_AMOUNTS
from tests.unit.test_text import NO_MEMOS
from transactions.ledger.accounts import Status, set_status
from transactions.ledger.posting import BANK_CLIENT, Transfer, post
from transactions.ledger.reads import balances

pytestmark = pytest.mark.django_db

FORM = "/transfers/new/"
FIELD_OF_ERROR = re.compile(r'id="id_(\w+)_error"')


@pytest.fixture
def asha() -> User:
    """Give a customer."""
    return person()


@pytest.fixture
def pages(asha: User) -> Client:
    """Give a browser that the customer is logged in with."""
    client = Client()
    client.force_login(asha)
    return client


def text_of(answer: Any) -> str:
    """Return a page as text."""
    content: str = answer.content.decode()
    return content


def entries(debit: int, credit: object, **changes: object) -> dict[str, object]:
    """Return what is typed into the form."""
    return {
        "token": str(uuid4()),
        "debit_account": debit,
        "credit_account": str(credit),
        "amount": "25",
        "memo": "",
        **changes,
    }


def sending(typed: dict[str, object]) -> str:
    """Return where the form is sent."""
    return f"/transfers/send/{typed['token']}/"


class TestOverview:
    def test_shows_totals_accounts_and_the_last_five_movements(
        self, pages: Client, asha: User
    ) -> None:
        mine, other = account(balance=12_500_050, owner=asha), account()
        account(balance=500, currency="JPY", owner=asha)
        for number in range(6):
            transfer = Transfer(mine, other, inr(100), memo=f"movement {number}")
            post(transfer, order=order())
        page = text_of(pages.get("/"))
        assert "₹1,24,994.50" in page
        assert "JP¥500" in page
        assert [number for number in range(6) if f"movement {number}" in page] == [1, 2, 3, 4, 5]

    def test_says_how_to_begin_without_an_account(self, pages: Client) -> None:
        assert "You have no account yet" in text_of(pages.get("/"))
        assert "You have no account yet" in text_of(pages.get("/transfers/new/"))

    def test_is_kept_by_no_cache(self, pages: Client) -> None:
        assert "no-store" in pages.get("/").headers["Cache-Control"]


class TestStatement:
    def test_shows_the_balance_after_each_movement_page_by_page(
        self, pages: Client, asha: User
    ) -> None:
        mine = account(balance=100_000, owner=asha)
        friend = account(owner=person(full_name="Priya Nair"))
        for number in range(55):
            post(Transfer(mine, friend, inr(100), memo=f"no {number}"), order=order())
        newest = text_of(pages.get(f"/accounts/{mine}/"))
        assert "₹945.00" in newest
        assert "Priya Nair" in newest
        assert "no 54" in newest
        assert "no 4<" not in newest
        older = re.search(r'"(\?before=[^"]+)"', newest)
        assert older
        last = text_of(pages.get(f"/accounts/{mine}/{older[1]}"))
        assert "no 4<" in last
        assert "+₹1,000.00" in last
        assert 'rel="next"' not in last
        newer = re.search(r'"(\?after=[^"]+)"', last)
        assert newer
        assert "no 54" in text_of(pages.get(f"/accounts/{mine}/{newer[1]}"))

    def test_shows_the_banks_own_day(self, pages: Client, asha: User) -> None:
        mine = account(balance=1_000, owner=asha)
        late = instant(2026, 2, 28, hour=20)
        post(Transfer(mine, account(), inr(100), event_at=late), order=order())
        assert "1 Mar 2026" in text_of(pages.get(f"/accounts/{mine}/"))

    def test_has_an_empty_state(self, pages: Client, asha: User) -> None:
        mine = account(owner=asha)
        branch = Branch.objects.create(code="HO", number=BRANCH, name="Head office")
        Account.objects.create(
            number=mine, branch=branch, product="savings", currency="INR", opened_at=instant()
        )
        page = text_of(pages.get(f"/accounts/{mine}/"))
        assert "Nothing has moved yet" in page
        assert "Savings account" in page


class TestAnother:
    def test_persons_account_and_receipt_are_not_there(self, pages: Client) -> None:
        theirs = account(balance=10_000, owner=person())
        sent = post(Transfer(theirs, account(), inr(100)), order=order())
        for address in (
            f"/accounts/{theirs}/",
            f"/transfers/{sent.transfer_id}/",
            f"/transfers/{uuid4()}/",
            "/accounts/1/",
            "/accounts/99999999999999999999999/",
        ):
            answer = pages.get(address)
            assert answer.status_code == 404
            assert answer.headers["X-Request-ID"] in text_of(answer)

    def test_persons_cursor_leads_nowhere(self, pages: Client, asha: User) -> None:
        mine = account(owner=asha)
        assert pages.get(f"/accounts/{mine}/?before=x").status_code == 404

    def test_visitor_is_sent_to_the_door(self) -> None:
        for address in ("/", "/accounts/", FORM, f"/transfers/check/{uuid4()}/"):
            answer = Client().get(address)
            assert (answer.status_code, answer.headers["Location"]) == (
                302,
                f"/auth/login/?next={address}",
            )


class TestSendingMoney:
    def test_goes_from_form_to_check_to_receipt(self, pages: Client, asha: User) -> None:
        mine = account(balance=200_000, owner=asha)
        friend = account(owner=person(full_name="Priya Nair"))
        spaced = f"{str(friend)[:4]} {str(friend)[4:]}"
        typed = entries(mine, spaced, amount="₹1,250.50", memo="rent")
        with nothing_written():
            entered = pages.post(FORM, typed)
            check = text_of(pages.get(entered.headers["Location"]))
        assert "Send ₹1,250.50" in check
        assert "Priya N." in check
        assert "₹749.50" in check
        answer = pages.post(sending(typed))
        receipt = text_of(pages.get(answer.headers["Location"]))
        assert "₹1,250.50" in receipt
        assert "rent" in receipt
        assert balances([mine])[0].balance == 74_950
        payee = Client()
        payee.force_login(User.objects.get(full_name="Priya Nair"))
        theirs = text_of(payee.get(answer.headers["Location"]))
        assert "rent" in theirs
        assert "₹749.50" not in theirs

    def test_happens_once_however_often_it_is_sent(self, pages: Client, asha: User) -> None:
        mine, friend = account(balance=10_000, owner=asha), account()
        typed = entries(mine, friend)
        check = pages.post(FORM, typed).headers["Location"]
        places = {pages.post(sending(typed)).headers["Location"] for _ in range(3)}
        assert len(places) == 1
        assert pages.get(check).headers["Location"] in places
        assert "It has not been sent again" in text_of(pages.get(places.pop()))
        assert balances([mine])[0].balance == 7_500

    def test_after_going_back_and_changing_it_asks_again(self, pages: Client, asha: User) -> None:
        mine, friend = account(balance=10_000, owner=asha), account()
        typed = entries(mine, friend)
        pages.post(FORM, typed)
        pages.post(sending(typed))
        with transaction.atomic():
            answer = pages.post(FORM, {**typed, "amount": "26"})
        assert answer.status_code == 422
        assert "sent with this form already" in text_of(answer)
        assert str(typed["token"]) not in text_of(answer)
        assert 'value="26"' in text_of(answer)
        assert balances([mine])[0].balance == 7_500

    def test_can_be_changed_before_it_is_sent(self, pages: Client, asha: User) -> None:
        mine, friend = account(balance=10_000, owner=asha), account()
        typed = entries(mine, friend, memo="rent")
        check = text_of(pages.get(pages.post(FORM, typed).headers["Location"]))
        change = re.search(r'"(/transfers/new/[^"]+)#id_memo"', check)
        assert change
        page = text_of(pages.get(change[1]))
        assert 'value="rent"' in page
        assert str(typed["token"]) in page
        assert "There is a problem" not in page

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            *(({"amount": amount}, "amount") for amount in NO_AMOUNTS),
            *(({"memo": memo}, "memo") for memo in NO_MEMOS),
            ({"amount": ""}, "amount"),
            ({"amount": "12,50"}, "amount"),
            ({"credit_account": ""}, "credit_account"),
            ({"credit_account": "100000000018"}, "credit_account"),
            ({"credit_account": "\0"}, "credit_account"),
            ({"debit_account": "100000000017"}, "debit_account"),
            ({"debit_account": "x"}, "debit_account"),
        ],
    )
    def test_names_the_field_at_fault_and_keeps_what_was_typed(
        self, pages: Client, asha: User, changes: dict[str, object], field: str
    ) -> None:
        typed = entries(account(balance=10_000, owner=asha), account(), **changes)
        with nothing_written():
            answer = pages.post(FORM, typed)
            sent = pages.post(sending(typed))
        page = text_of(answer)
        assert answer.status_code == 422
        assert FIELD_OF_ERROR.findall(page)[0] == field
        assert f'href="#id_{field}"' in page
        assert "Error:" in page
        assert sent.headers["Location"] == FORM

    def test_shows_why_the_ledger_refuses(self, pages: Client, asha: User) -> None:
        mine, frozen = account(balance=10_000, owner=asha), account()
        set_status(frozen, status=Status.FROZEN, client=BANK_CLIENT, reason="test")
        unknown = account_number(branch=BRANCH, serial=89_999_999)
        cases = [
            (entries(mine, account(), amount="100.01"), "amount", "not enough money"),
            (entries(mine, mine), "credit_account", "to itself"),
            (entries(mine, frozen), "credit_account", "is frozen"),
            (entries(mine, account(currency="JPY")), "credit_account", "different currencies"),
            (entries(mine, unknown), "credit_account", "no account with the number"),
        ]
        for typed, field, words in cases:
            with nothing_written(), transaction.atomic():
                page = text_of(pages.post(FORM, typed))
            assert FIELD_OF_ERROR.findall(page)[0] == field
            assert words in page

    def test_shows_what_has_changed_since_it_was_checked(self, pages: Client, asha: User) -> None:
        mine, friend = account(balance=10_000, owner=asha), account()
        typed = entries(mine, friend)
        check = pages.post(FORM, typed).headers["Location"]
        set_status(mine, status=Status.FROZEN, client=BANK_CLIENT, reason="test")
        for ask, address in ((pages.get, check), (pages.post, sending(typed))):
            with nothing_written(), transaction.atomic():
                answer = ask(address)
            assert answer.status_code == 422
            assert "is frozen" in text_of(answer)

    def test_needs_a_token_of_a_form(self, pages: Client, asha: User) -> None:
        typed = entries(account(balance=10_000, owner=asha), account(), token="x")
        assert pages.post(FORM, typed).status_code == 422

    def test_starts_again_where_the_form_is_gone(self, pages: Client, asha: User) -> None:
        typed = entries(account(balance=10_000, owner=asha), account())
        pages.post(FORM, typed)
        del pages.cookies["sessionid"]
        pages.force_login(asha)
        with nothing_written():
            answer = pages.post(sending(typed), follow=True)
        assert answer.redirect_chain == [(FORM, 302)]
        assert "This form is gone" in text_of(answer)

    def test_belongs_to_who_typed_it(self, pages: Client, asha: User) -> None:
        typed = entries(account(balance=10_000, owner=asha), account())
        pages.post(FORM, typed)
        other = Client()
        other.force_login(person())
        with nothing_written():
            assert other.post(sending(typed)).headers["Location"] == FORM

    def test_needs_a_page_of_ours(self, asha: User) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(asha)
        answer = client.post(f"/transfers/send/{uuid4()}/")
        assert answer.status_code == 403
        assert "too old" in text_of(answer)


class TestEveryAnswer:
    def test_allows_nothing_from_elsewhere_and_no_inline_code(self, pages: Client) -> None:
        for address in ("/", "/transfers/new/", "/auth/logout/", "/nothing", "/api/v1/accounts"):
            policy = pages.get(address).headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "http" not in policy

    def test_a_failure_shows_a_number_and_no_secret(
        self, asha: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_user: int, **_how: object) -> None:
            message = "password=hunter2"
            raise RuntimeError(message)

        monkeypatch.setattr("portals.customer.views.overview_of", fail)
        client = Client(raise_request_exception=False)
        client.force_login(asha)
        answer = client.get("/")
        assert answer.status_code == 500
        assert answer.headers["X-Request-ID"] in text_of(answer)
        assert "hunter2" not in text_of(answer)

    def test_a_wrong_host_is_not_served(self) -> None:
        answer = Client().get("/", headers={"Host": "evil.example"})
        assert answer.status_code == 400
        assert answer.headers["X-Request-ID"] in text_of(answer)
