"""The operation log: what it shows, to whom, and what clearing and downloading do."""

import csv
import io
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import Role, User
from accounts.numbers import shown_user_id
from core import clock
from core.money import Money
from core.spreadsheets import END, safe_cell
from tests.factories import account, inr, person
from transactions.ledger.accounts import Status, set_status
from transactions.ledger.posting import Channel, Kind, Order, Transfer, post
from transactions.operations import OperationFilter, all_operations, operations

pytestmark = pytest.mark.django_db

PAGE = "/staff/operations/"
FILE = "/staff/operations.csv"
CLEAR = "/staff/operations/clear/"


@pytest.fixture
def meera() -> User:
    """Give an employee."""
    return person(full_name="Meera Joshi", role=Role.EMPLOYEE)


@pytest.fixture
def staff(meera: User) -> Client:
    """Give a browser that the employee is logged in with."""
    client = Client()
    client.force_login(meera)
    return client


def text_of(answer: Any) -> str:
    """Return a page as text."""
    content: str = answer.content.decode()
    return content


def pay(debit: int, credit: int, memo: str, **changes: Any) -> None:
    """Post a transfer over the website."""
    asked = Order(
        client=changes.pop("client", 0),
        channel=changes.pop("channel", Channel.WEB),
        day=clock.bank_day(clock.now()),
        key=str(uuid4()),
    )
    post(Transfer(debit, credit, inr(100), memo=memo, **changes), order=asked)


def words_of(wanted: OperationFilter, *, limit: int = 100) -> list[str]:
    """Return what the log says of what is wanted, newest first."""
    return [one.words for one in operations(wanted, before=None, limit=limit).operations]


def rows_of(answer: Any) -> list[list[str]]:
    """Return the rows of a downloaded file."""
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))


class TestTheLog:
    def test_has_postings_and_what_was_done_to_accounts_newest_first(self) -> None:
        payer, payee = account(balance=1_000), account()
        pay(payer, payee, "first")
        set_status(payee, status=Status.FROZEN, client=0, reason="second")
        set_status(payee, status=Status.OPEN, client=0, reason="third")
        pay(payer, payee, "fourth")
        page = operations(OperationFilter(account=payee), before=None, limit=4)
        assert [one.words for one in page.operations] == ["fourth", "third", "second", "first"]
        newest, opened = page.operations[0], page.operations[1]
        assert (newest.what, newest.account, newest.counterparty) == ("transfer", payer, payee)
        assert newest.amount == Money(100, "INR")
        assert (opened.what, opened.account, opened.amount) == ("set_status", payee, None)
        assert opened.details == {"from": "frozen", "to": "open"}

    def test_goes_on_page_by_page_and_repeats_nothing(self) -> None:
        payer, payee = account(balance=1_000), account()
        for number in range(5):
            pay(payer, payee, str(number))
            set_status(payee, status=Status.OPEN, client=0, reason=f"event {number}")
        wanted, seen, before = OperationFilter(account=payee), [], None
        while True:
            page = operations(wanted, before=before, limit=3)
            seen += [one.operation_id for one in page.operations]
            before = page.older
            if before is None:
                break
        assert len(seen) == len(set(seen)) == 11
        assert seen == sorted(seen, reverse=True)
        assert seen == [one.operation_id for one in all_operations(wanted)]

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ({}, ["event", "rent", "cash"]),
            ({"what": "transfer"}, ["rent"]),
            ({"what": "deposit"}, ["cash"]),
            ({"what": "set_status"}, ["event"]),
            ({"channel": Channel.TELLER}, ["cash"]),
            ({"channel": Channel.WEB}, ["rent"]),
            ({"node": "default"}, ["event", "rent", "cash"]),
        ],
    )
    def test_is_filtered(self, wanted: dict[str, Any], found: list[str]) -> None:
        begin = clock.now()
        payer, payee = account(balance=1_000), account()
        pay(payer, payee, "cash", kind=Kind.DEPOSIT, channel=Channel.TELLER)
        pay(payer, payee, "rent")
        pay(payer, account(), "of another account", channel=Channel.WEB)
        set_status(payee, status=Status.OPEN, client=0, reason="event")
        words = words_of(OperationFilter(account=payee, since=begin, **wanted))
        assert [one for one in words if one] == found

    def test_is_filtered_by_when_it_was_recorded(self) -> None:
        payer, payee = account(balance=1_000), account()
        pay(payer, payee, "one")
        set_status(payee, status=Status.OPEN, client=0, reason="two")
        between = clock.now()
        pay(payer, payee, "three")
        set_status(payee, status=Status.OPEN, client=0, reason="four")
        assert words_of(OperationFilter(account=payee, since=between)) == ["four", "three"]
        until = OperationFilter(account=payee, until=between)
        assert words_of(until, limit=2) == ["two", "one"]


class TestThePage:
    def test_shows_who_did_what_by_which_way(self, staff: Client) -> None:
        asha = person(full_name="Asha Rao")
        payer, payee = account(balance=1_000), account()
        pay(payer, payee, "rent", client=asha.pk)
        page = text_of(staff.get(PAGE, {"account": str(payee)}))
        shown = page[page.index("<tbody>") :]
        known = ("Asha Rao", shown_user_id(asha.number), "Website", "Head office")
        for words in ("rent", "₹1.00", *known, "Account opened"):
            assert words in shown

    def test_leads_to_older_ones_with_the_same_filter(self, staff: Client) -> None:
        payer, payee = account(balance=10_000), account()
        for number in range(51):
            pay(payer, payee, f"no {number}.")
        newest = text_of(staff.get(PAGE, {"account": str(payee), "what": "transfer"}))
        assert "no 1." in newest
        assert "no 0." not in newest
        older = re.search(r'href="(\?[^"]+)"\s+rel="next"', newest)
        assert older
        last = text_of(staff.get(PAGE + older[1].replace("&amp;", "&")))
        assert "no 0." in last
        assert "no 1." not in last
        assert "opened</span>" not in last

    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            ({"account": "100000000018"}, "no account number"),
            ({"account": "\0"}, "12 digits"),
            ({"node": "XXX"}, "Select a valid choice"),
            ({"what": "x"}, "Select a valid choice"),
            ({"channel": "x"}, "Select a valid choice"),
            ({"first": "2026-02-30"}, "Enter a valid date"),
            ({"first": "2026-03-02", "last": "2026-03-01"}, "before the first one"),
            ({"before": "x"}, "Enter a valid UUID"),
        ],
    )
    def test_says_what_is_wrong_with_a_filter(
        self, staff: Client, asked: dict[str, str], words: str
    ) -> None:
        answer = staff.get(PAGE, asked)
        assert answer.status_code == 422
        assert words in text_of(answer)
        assert staff.get(FILE, asked).status_code == 302

    def test_takes_the_last_day_there_is(self, staff: Client) -> None:
        assert staff.get(PAGE, {"first": "0001-01-01", "last": "9999-12-31"}).status_code == 200

    @pytest.mark.parametrize("digit", ["0", "f"])
    def test_takes_any_place_to_go_on_from(self, staff: Client, digit: str) -> None:
        assert staff.get(PAGE, {"before": digit * 32}).status_code == 200

    def test_shows_itself_anew_when_it_is_live(self, staff: Client) -> None:
        assert staff.get(PAGE, {"live": "1"}).headers["Refresh"] == "5"
        assert "Refresh" not in staff.get(PAGE).headers

    def test_is_kept_by_no_cache(self, staff: Client) -> None:
        assert "no-store" in staff.get(PAGE).headers["Cache-Control"]


class TestClearing:
    def test_clears_the_view_and_never_the_log(self, staff: Client) -> None:
        payer, payee = account(balance=1_000), account()
        pay(payer, payee, "before")
        assert staff.post(CLEAR).headers["Location"] == PAGE
        pay(payer, payee, "after")
        shown = text_of(staff.get(PAGE))
        assert "after" in shown
        assert ">before" not in shown
        assert not any("before" in row for row in rows_of(staff.get(FILE)))
        assert words_of(OperationFilter(account=payee))[:2] == ["after", "before"]
        other = Client()
        other.force_login(person(role=Role.ADMIN))
        assert "before" in text_of(other.get(PAGE, {"account": str(payee)}))
        staff.post(CLEAR, {"all": ""})
        assert "before" in text_of(staff.get(PAGE, {"account": str(payee)}))

    def test_only_looks_back_as_far_as_a_filter_does(self, staff: Client) -> None:
        payer, payee = account(balance=1_000), account()
        staff.post(CLEAR)
        pay(payer, payee, "today")
        tomorrow = (clock.bank_day(clock.now()) + timedelta(days=1)).isoformat()
        assert "today" not in text_of(staff.get(PAGE, {"first": tomorrow}))

    def test_is_no_link(self, staff: Client) -> None:
        assert staff.get(CLEAR).status_code == 405


class TestTheFile:
    def test_has_exactly_the_filtered_rows(self, staff: Client) -> None:
        payer, payee = account(balance=100_000), account()
        for number in range(120):
            pay(payer, payee, f"no {number}")
        pay(payer, account(), "of another account")
        answer = staff.get(FILE, {"account": str(payee), "what": "transfer"})
        heading, *rows, closing = rows_of(answer)
        assert closing[:2] == [END, "120"]
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert 'attachment; filename="operations.csv"' in answer.headers["Content-Disposition"]
        assert [dict(zip(heading, row, strict=True))["words"] for row in rows] == [
            f"no {number}" for number in reversed(range(120))
        ]
        first = dict(zip(heading, rows[0], strict=True))
        assert (first["amount"], first["currency"]) == ("1.00", "INR")
        assert (first["account"], first["counterparty"]) == (str(payer), str(payee))
        assert (first["node"], first["channel"]) == ("default", "web")

    def test_holds_no_formula(self, staff: Client) -> None:
        payer, payee = account(balance=1_000), account()
        pay(payer, payee, '=HYPERLINK("http://evil.example")')
        (row,) = [row for row in rows_of(staff.get(FILE)) if "evil.example" in str(row)]
        assert '\'=HYPERLINK("http://evil.example")' in row

    @pytest.mark.parametrize("text", ["=1", "+1", "-1+1", "@x", " =1", "\t=1", "\r=1", "\uff1d1"])
    def test_marks_what_a_spreadsheet_would_reckon(self, text: str) -> None:
        assert safe_cell(text) == f"'{text}"

    def test_leaves_other_texts_as_they_are(self) -> None:
        assert [safe_cell(text) for text in ("", "rent = due", "1.00", "-1.00")] == [
            "",
            "rent = due",
            "1.00",
            "-1.00",
        ]


class TestWhoMaySee:
    @pytest.mark.parametrize("address", [PAGE, FILE])
    def test_employees_and_admins_alone(self, address: str) -> None:
        for role, status in (
            (Role.CUSTOMER, 403),
            (Role.EMPLOYEE, 200),
            (Role.ADMIN, 200),
        ):
            client = Client()
            client.force_login(person(role=role))
            assert client.get(address).status_code == status
            assert ("/staff/" in text_of(client.get("/"))) is (status == 200)
        assert Client().get(address).status_code == 302

    def test_customers_clear_nothing(self) -> None:
        client = Client()
        client.force_login(person())
        assert client.post(CLEAR).status_code == 403
