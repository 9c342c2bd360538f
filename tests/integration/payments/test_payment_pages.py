"""The pages of payments: a day to come, payees, standing orders, limits, and what goes wrong."""

import re
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.db import transaction
from django.test import Client

from accounts.models import User
from core import clock
from core.clock import bank_day
from tests.codes import mailed_code
from tests.expectations import nothing_written, statements_counted
from tests.factories import customer_account, person
from tests.integration.people.conftest import entries_of
from transactions.governing import change_limits
from transactions.ledger.accounts import Limit, set_holder
from transactions.ledger.posting import BANK_CLIENT
from transactions.ledger.reads import balances
from transactions.limits.changing import apply_due_raises
from transactions.limits.models import LimitRaise
from transactions.payments.models import Payee, PayeeCooling, ScheduledTransfer, StandingOrder

pytestmark = pytest.mark.django_db

FORM = "/transfers/new/"
LIST = "/transfers/scheduled/"
PAYEES = "/payees/"
ORDERS = "/standing-orders/"
ERRORS = re.compile(r'id="id_(\w+)_error"')
CHALLENGE = re.compile(r'name="step_up_challenge"\s+value="([^"]+)"')


@pytest.fixture
def pages(asha: User) -> Client:
    """Give a browser that the customer is logged in with."""
    client = Client()
    client.force_login(asha)
    return client


def text_of(answer: Any) -> str:
    """Return a page as text, blanks as one."""
    return " ".join(answer.content.decode().split())


def typed(debit: int, credit: object, **changes: object) -> dict[str, object]:
    """Return what is typed into the form of a transfer."""
    entries = {"token": str(uuid4()), "debit_account": debit, "credit_account": str(credit)}
    return {**entries, "amount": "25", "memo": "", **changes}


def sending(form: dict[str, object]) -> str:
    """Return where a form is sent."""
    return f"/transfers/send/{form['token']}/"


def days_ahead(days: int) -> date:
    """Return a day to come."""
    return bank_day(clock.now()) + timedelta(days=days)


def code_for(answer: Any) -> dict[str, str]:
    """Return what to add to a form that was answered with a question for a code."""
    found = CHALLENGE.search(answer.content.decode())
    assert found
    return {"step_up_challenge": found[1], "step_up_code": mailed_code()}


def payee(user: User, account: int, nickname: str = "Rent", name: str = "Vikram S.") -> Payee:
    """Save a payee long ago."""
    return Payee.objects.create(
        user=user,
        account=account,
        currency="INR",
        nickname=nickname,
        name=name,
        added_at=clock.now() - timedelta(days=90),
    )


class TestATransferOnADayToCome:
    def test_goes_from_form_to_check_to_the_list_once(
        self, pages: Client, mine: int, theirs: int
    ) -> None:
        day = days_ahead(40)
        form = typed(mine, theirs, when="later", day=day.isoformat(), memo="rent")
        check = text_of(pages.get(pages.post(FORM, form).headers["Location"]))
        assert day.strftime("%A") in check
        assert "until that day ends" in check
        with nothing_written():
            places = {pages.post(sending(form)).headers["Location"] for _ in range(2)}
        assert places == {LIST}
        waiting = ScheduledTransfer.objects.get()
        assert (waiting.due_date, waiting.state, waiting.memo) == (day, "waiting", "rent")
        assert "It is sent on" in text_of(pages.get(LIST))
        cancelled = pages.post(f"{LIST}{waiting.pk}/cancel/", follow=True)
        assert "You cancelled it" in text_of(cancelled)

    def test_takes_the_code_of_a_large_one_when_it_is_left(
        self, pages: Client, mine: int, theirs: int
    ) -> None:
        form = typed(mine, theirs, when="later", day=days_ahead(2), amount="1,00,000")
        check = text_of(pages.get(pages.post(FORM, form).headers["Location"]))
        assert "we ask for a code" in check
        question = pages.post(sending(form))
        assert question.status_code == 422
        assert not ScheduledTransfer.objects.exists()
        assert pages.post(sending(form), code_for(question)).headers["Location"] == LIST
        assert ScheduledTransfer.objects.get().amount == 10_000_000

    @pytest.mark.parametrize("day", ["", "x", "2020-01-01", "9999-12-31", "31.12.2027"])
    def test_names_what_is_wrong_with_the_day(
        self, pages: Client, mine: int, theirs: int, day: str
    ) -> None:
        answer = pages.post(FORM, typed(mine, theirs, when="later", day=day))
        assert answer.status_code == 422
        assert ERRORS.findall(answer.content.decode()) == ["day"]
        assert not ScheduledTransfer.objects.exists()

    def test_again_and_again_leads_to_a_standing_order(
        self, pages: Client, mine: int, theirs: int
    ) -> None:
        answer = pages.post(FORM, typed(mine, theirs, when="repeat", memo="rent"), follow=True)
        assert answer.redirect_chain[0][0].startswith(f"{ORDERS}new/?draft=")
        page = text_of(answer)
        assert 'value="rent"' in page
        assert "First date" in page


class TestTheCheckOfATransfer:
    def test_warns_of_what_looks_sent_already(self, pages: Client, mine: int, theirs: int) -> None:
        first, tab, other = (typed(mine, theirs), typed(mine, theirs), typed(mine, theirs))
        other["amount"] = "26"
        checks = [pages.post(FORM, form).headers["Location"] for form in (first, tab, other)]
        assert "sent this already" not in text_of(pages.get(checks[1]))
        sent = pages.post(sending(first)).headers["Location"]
        warned = text_of(pages.get(checks[1]))
        assert "You may have sent this already." in warned
        assert sent in warned
        assert "sent this already" not in text_of(pages.get(checks[2]))
        pages.post(sending(tab))
        assert balances([theirs])[0].balance == 5_000

    def test_warns_of_what_waits_for_its_day(self, pages: Client, mine: int, theirs: int) -> None:
        later = typed(mine, theirs, when="later", day=days_ahead(3))
        pages.post(FORM, later)
        pages.post(sending(later))
        check = pages.post(FORM, typed(mine, theirs)).headers["Location"]
        assert "waits with us since" in text_of(pages.get(check))

    def test_tells_what_is_left_of_a_limit_before_and_after(
        self, pages: Client, mine: int, theirs: int
    ) -> None:
        change_limits(
            mine,
            limits={Limit.DAILY: 50_000, Limit.TRANSFER: 40_000},
            is_lowering=True,
            client=BANK_CLIENT,
            key=None,
            reason="test",
        )
        form = text_of(pages.get(FORM))
        assert "<strong>₹500.00</strong>" in form
        assert "at most ₹400.00 in one transfer" in form
        check = text_of(pages.get(pages.post(FORM, typed(mine, theirs)).headers["Location"]))
        assert re.search(r"Left to spend today.{0,40}₹475.00", check)

    def test_shows_fee_total_and_a_way_to_change_each_line(
        self, pages: Client, mine: int, theirs: int
    ) -> None:
        check = text_of(pages.get(pages.post(FORM, typed(mine, theirs)).headers["Location"]))
        for field in ("amount", "credit_account", "debit_account", "memo", "when_0"):
            assert f"#id_{field}" in check
        assert re.search(r"Fee.{0,20}None", check)
        assert re.search(r"Total.{0,40}₹25.00", check)


class TestAPayeeOfTheForm:
    def test_is_found_among_ten_thousand_and_paid(
        self, pages: Client, asha: User, mine: int, theirs: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        added = clock.now()
        Payee.objects.bulk_create(
            Payee(user=asha, account=at, currency="INR", nickname=f"No. {at}", added_at=added)
            for at in range(10_000)
        )
        payee(asha, theirs, "Landlord")
        with statements_counted(monkeypatch) as sent:
            listed = text_of(pages.get(PAYEES))
        assert len(sent) <= 20
        assert "Landlord" not in listed
        assert 'rel="next"' in listed
        assert "Landlord" in text_of(pages.get(f"{PAYEES}?q=landl"))
        assert "Landlord" in text_of(pages.get(f"{PAYEES}?q={str(theirs)[:6]} {str(theirs)[6:]}"))
        assert "None found" in text_of(pages.get(f"{PAYEES}?q=nobody"))
        form = typed(mine, "", find="LANDL", find_payee="1", memo="kept")
        with nothing_written():
            found = pages.post(FORM, form)
        assert "Landlord" in text_of(found)
        assert 'value="kept"' in text_of(found)
        assert "There is a problem" not in text_of(found)
        form.pop("find_payee")
        check = pages.post(FORM, {**form, "payee": theirs}).headers["Location"]
        assert "Vikram S." in text_of(pages.get(check))

    def test_is_not_another_account_than_the_one_typed(
        self, pages: Client, mine: int, theirs: int
    ) -> None:
        other = customer_account(person())
        answer = pages.post(FORM, typed(mine, other, payee=theirs))
        assert ERRORS.findall(answer.content.decode()) == ["credit_account"]
        assert "another account than the payee" in text_of(answer)

    @pytest.mark.parametrize("chosen", ["x", "\0", "100000000018", "9" * 400])
    def test_that_is_none_is_refused(self, pages: Client, mine: int, chosen: str) -> None:
        answer = pages.post(FORM, typed(mine, "", payee=chosen))
        assert (answer.status_code, ERRORS.findall(answer.content.decode())) == (
            422,
            ["credit_account"],
        )


class TestASessionThatEndedMeanwhile:
    @pytest.fixture(autouse=True)
    def _can_log_in(self, asha: User) -> None:
        EmailAddress.objects.create(user=asha, email=asha.email, verified=True, primary=True)

    def _logged_in(self, client: Client, who: User, place: str) -> Any:
        door = {"login": who.email, "password": "correct horse battery staple"}
        return client.post(place, door, follow=True)

    def _whose(self, client: Client) -> str:
        found = re.search(r'name="whose" value="([^"]+)"', text_of(client.get(FORM)))
        assert found
        return found[1]

    def test_keeps_what_was_typed_until_the_log_in(
        self, pages: Client, asha: User, mine: int, theirs: int
    ) -> None:
        form = typed(mine, theirs, memo="rent", whose=self._whose(pages))
        ended = pages
        ended.session.delete(ended.session.session_key)
        door = ended.post(FORM, form)
        assert door.headers["Location"].startswith("/auth/login/?next=/transfers/new/")
        page = self._logged_in(ended, asha, door.headers["Location"])
        assert page.redirect_chain[-1][0] == f"{FORM}?draft={form['token']}"
        assert 'value="rent"' in text_of(page)
        check = ended.post(FORM, form).headers["Location"]
        assert "Send ₹25.00" in text_of(ended.get(check))

    def test_goes_on_with_the_check_and_sends_once(
        self, pages: Client, asha: User, mine: int, theirs: int
    ) -> None:
        form = typed(mine, theirs, whose=self._whose(pages))
        pages.post(FORM, form)
        ended = Client()
        with nothing_written():
            door = ended.post(sending(form), form)
            page = self._logged_in(ended, asha, door.headers["Location"])
        assert "Send ₹25.00" in text_of(page)
        ended.post(sending(form))
        pages.post(sending(form))
        assert balances([theirs])[0].balance == 2_500

    def test_shows_nothing_to_somebody_else(
        self, pages: Client, mine: int, theirs: int, vikram: User
    ) -> None:
        EmailAddress.objects.create(user=vikram, email=vikram.email, verified=True, primary=True)
        form = typed(mine, theirs, memo="private", whose=self._whose(pages))
        ended = Client()
        door = ended.post(FORM, form)
        assert "private" not in text_of(self._logged_in(ended, vikram, door.headers["Location"]))

    def test_keeps_nothing_that_is_no_form_of_ours(self, mine: int, theirs: int) -> None:
        for change in ({"whose": "1:forged"}, {"token": "x"}, {"memo": "x" * 301}):
            visitor = Client()
            answer = visitor.post(FORM, typed(mine, theirs, **change))
            assert answer.headers["Location"] == f"/auth/login/?next={FORM}"
            assert "sessionid" not in visitor.cookies


class TestPayees:
    def test_are_added_once_their_owner_is_shown_and_a_code_is_given(
        self, pages: Client, asha: User, mine: int, theirs: int
    ) -> None:
        form = {"account": str(theirs), "nickname": "Müller 🏠 عمر"}
        check = pages.post(f"{PAYEES}new/", form)
        assert "Vikram S." in text_of(check)
        assert "at most ₹50,000.00 a day" in text_of(check)
        question = pages.post(f"{PAYEES}new/", {**form, "confirmed": "1"})
        assert question.status_code == 422
        assert not Payee.objects.exists()
        saved = {**form, "confirmed": "1", **code_for(question)}
        page = text_of(pages.post(f"{PAYEES}new/", saved, follow=True))
        assert '<bdi class="strong">Müller 🏠 عمر</bdi>' in page
        assert "then in full" in page
        assert PayeeCooling.objects.get(account=mine).is_set
        assert Payee.objects.get().user == asha

    def test_tell_when_they_were_last_paid(
        self, pages: Client, asha: User, mine: int, theirs: int
    ) -> None:
        payee(asha, theirs)
        assert "Not paid lately" in text_of(pages.get(PAYEES))
        form = typed(mine, "", payee=theirs)
        pages.post(FORM, form)
        pages.post(sending(form))
        assert "Last paid" in text_of(pages.get(PAYEES))

    def test_are_renamed_and_removed(self, pages: Client, asha: User, theirs: int) -> None:
        one = payee(asha, theirs)
        place = f"{PAYEES}{one.pk}/"
        assert "Landlord" in text_of(
            pages.post(f"{place}name/", {"nickname": "Landlord"}, follow=True)
        )
        assert pages.post(f"{place}name/", {"nickname": "x" * 41}).status_code == 422
        assert "No payees yet" in text_of(pages.post(f"{place}remove/", follow=True))

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"account": ""}, "account"),
            ({"account": "100000000018"}, "account"),
            ({"account": "\0"}, "account"),
            ({"nickname": " "}, "nickname"),
            ({"nickname": "x" * 41}, "nickname"),
            ({"nickname": "rent\u202e"}, "nickname"),
        ],
    )
    def test_that_are_none_are_refused_by_field(
        self, pages: Client, theirs: int, change: dict[str, str], field: str
    ) -> None:
        answer = pages.post(f"{PAYEES}new/", {"account": theirs, "nickname": "Rent", **change})
        assert answer.status_code == 422
        assert ERRORS.findall(answer.content.decode()) == [field]
        assert not Payee.objects.exists()

    def test_searches_that_make_no_sense_find_none(self, pages: Client) -> None:
        for text in ("%", "_", "\0", "\\", "x" * 500):
            assert pages.get(PAYEES, {"q": text}).status_code == 200
        assert pages.get(f"{PAYEES}?before=x").status_code == 404


class TestStandingOrders:
    def _wish(self, debit: int, credit: int, **changes: object) -> dict[str, object]:
        return typed(
            debit,
            credit,
            frequency="monthly",
            first_date="2028-01-31",
            weekend="after",
            **changes,
        )

    def test_are_given_after_a_check_with_dates_and_rules(
        self, pages: Client, mine: int, theirs: int
    ) -> None:
        form = self._wish(mine, theirs, memo="rent")
        check = pages.post(f"{ORDERS}new/", form).headers["Location"]
        page = text_of(pages.get(check))
        for words in (
            "Monday, 31 January 2028",
            "Tuesday, 29 February 2028",
            "Sunday, 30 April 2028",
            "paid on Monday, 1 May",
            "In months without a day 31, it is paid on their last day.",
            "paid on the working day after",
        ):
            assert words in page
        assert not StandingOrder.objects.exists()
        places = {pages.post(check).headers["Location"] for _ in range(2)}
        order = StandingOrder.objects.get()
        assert places == {f"{ORDERS}{order.pk}/"}
        assert "rent" in text_of(pages.get(ORDERS))

    def test_are_paused_resumed_skipped_and_cancelled(
        self, pages: Client, mine: int, theirs: int
    ) -> None:
        check = pages.post(f"{ORDERS}new/", self._wish(mine, theirs)).headers["Location"]
        place = pages.post(check).headers["Location"]
        order = StandingOrder.objects.get()
        said = {
            "pause": "Nothing is paid until you resume it",
            "resume": "It goes on",
            "skip": "This date is left out",
            "cancel": "Nothing more is paid",
        }
        for change, words in said.items():
            answer = pages.post(f"{place}{change}/", {"date": "2028-01-31"}, follow=True)
            assert words in text_of(answer)
        order.refresh_from_db()
        assert (order.state, order.next_date) == ("cancelled", date(2028, 2, 29))
        page = text_of(pages.get(place))
        assert "Skipped." in page
        assert "31 January 2028" in page
        assert "is over and cannot be changed" in text_of(pages.post(f"{place}pause/", follow=True))

    def test_log_why_a_date_was_not_paid(
        self, pages: Client, asha: User, mine: int, theirs: int
    ) -> None:
        check = pages.post(f"{ORDERS}new/", self._wish(mine, theirs)).headers["Location"]
        pages.post(check)
        order = StandingOrder.objects.get()
        ScheduledTransfer.objects.create(
            user=asha, key="a date", debit=mine, credit=theirs, amount=1, currency="INR",
            state="refused", reason="There is not enough money in the account.",
            not_before=clock.now(), queued_at=clock.now(), tried_at=clock.now(),
            standing_order=order, due_date=date(2027, 12, 31),
        )  # fmt: skip
        page = text_of(pages.get(f"{ORDERS}{order.pk}/"))
        assert "31 December 2027" in page
        assert "There is not enough money" in page

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"first_date": ""}, "first_date"),
            ({"first_date": "31/01/2028"}, "first_date"),
            ({"first_date": "2020-01-31"}, "first_date"),
            ({"first_date": "2028-01-30", "month_end": "on"}, "first_date"),
            ({"last_date": "2027-12-31"}, "last_date"),
            ({"frequency": "weekly", "month_end": "on"}, "month_end"),
            ({"frequency": "hourly"}, "frequency"),
            ({"amount": "0"}, "amount"),
            ({"credit_account": "100000000018"}, "credit_account"),
        ],
    )
    def test_that_cannot_be_are_refused_by_field(
        self, pages: Client, mine: int, theirs: int, changes: dict[str, str], field: str
    ) -> None:
        answer = pages.post(f"{ORDERS}new/", {**self._wish(mine, theirs), **changes})
        assert answer.status_code == 422
        assert ERRORS.findall(answer.content.decode()) == [field]
        assert not StandingOrder.objects.exists()

    def test_begin_with_an_empty_page(self, pages: Client) -> None:
        assert "No standing orders" in text_of(pages.get(ORDERS))
        assert "You have no account yet" in text_of(pages.get(f"{ORDERS}new/"))


class TestLimits:
    def test_are_lowered_at_once_and_raised_after_a_day(
        self, pages: Client, mine: int, theirs: int
    ) -> None:
        place = f"/accounts/{mine}/limits/"
        lowered = pages.post(place, {"daily_limit": "500", "transfer_limit": ""}, follow=True)
        assert re.search(r"In a day.{0,60}₹500.00", text_of(lowered))
        assert pages.post(FORM, typed(mine, theirs, amount="500.01")).status_code == 422
        wish = {"daily_limit": "1,000", "transfer_limit": ""}
        question = pages.post(place, wish)
        assert question.status_code == 422
        waits = pages.post(place, {**wish, **code_for(question)}, follow=True)
        assert re.search(r"What waits.*₹1,000.00.*It holds from", text_of(waits))
        assert pages.post(FORM, typed(mine, theirs, amount="500.01")).status_code == 422
        apply_due_raises(now=clock.now() + timedelta(days=1))
        assert pages.post(FORM, typed(mine, theirs, amount="500.01")).status_code == 302

    def test_that_wait_can_be_withdrawn(self, pages: Client, asha: User, mine: int) -> None:
        place = f"/accounts/{mine}/limits/"
        pages.post(place, {"daily_limit": "500", "transfer_limit": ""})
        wish = {"daily_limit": "", "transfer_limit": ""}
        pages.post(place, {**wish, **code_for(pages.post(place, wish))})
        assert LimitRaise.objects.get().state == "cooling"
        page = text_of(pages.post(place, {"withdraw": "daily_limit"}, follow=True))
        assert "What waits" not in page
        raised = LimitRaise.objects.get()
        assert raised.state == "cancelled"
        assert [(one.pgh_label, one.by) for one in entries_of(raised)] == [
            ("insert", asha),
            ("update", asha),
        ]

    @pytest.mark.parametrize("text", ["-1", "x", "12,50", "1.234", "9" * 30])
    def test_that_are_no_amounts_are_refused(self, pages: Client, mine: int, text: str) -> None:
        form = {"daily_limit": text, "transfer_limit": "x"}
        with nothing_written():
            answer = pages.post(f"/accounts/{mine}/limits/", form)
        assert answer.status_code == 422
        assert ERRORS.findall(answer.content.decode()) == ["daily_limit", "transfer_limit"]

    def test_are_the_owners_to_change(self, pages: Client, asha: User, theirs: int) -> None:
        place = f"/accounts/{theirs}/limits/"
        assert pages.get(place).status_code == 404
        set_holder(theirs, user=asha.pk, rights="authorised", client=BANK_CLIENT)
        assert "An owner of the account changes" in text_of(pages.get(place))
        with nothing_written(), transaction.atomic():
            assert pages.post(place, {"daily_limit": "5", "transfer_limit": ""}).status_code == 403
