"""The pages of staff: finding, the customer's file, transfers, branches, approvals; all to read."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.access_log import LookNotNoted
from accounts.models import Approval, LogIn, Role, StatusChange, User, Viewing
from accounts.numbers import shown_user_id
from accounts.reveals import REVEALED_FOR
from core import clock, spreadsheets
from portals.employee import noting, operations
from tests.factories import account, bank_accounts, customer_account, inr, person
from tests.permissions._routes import every_route
from transactions.chart import Place
from transactions.ledger.accounts import Status, set_limits, set_status
from transactions.ledger.posting import Channel, Order, Transfer, post

pytestmark = pytest.mark.django_db

FIND = "/staff/"
TRANSFERS = "/staff/transfers/"
FILE = "/staff/transfers.csv"


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


@pytest.fixture
def asha() -> User:
    """Give a customer of whom much is known."""
    made = person(
        full_name="Asha Rao",
        email="asha.rao@example.org",
        phone="+919820012345",
        birth_date="1990-05-17",
    )
    made.refresh_from_db()
    return made


def text_of(answer: Any) -> str:
    """Return a page as text."""
    content: str = answer.content.decode()
    return content


def pay(debit: int, credit: int, memo: str, **changes: Any) -> Any:
    """Post a transfer over the website and return its id."""
    asked = Order(client=0, channel=Channel.WEB, day=clock.bank_day(clock.now()), key=str(uuid4()))
    return post(Transfer(debit, credit, inr(100), memo=memo, **changes), order=asked).transfer_id


def seen_of(subject: User) -> list[tuple[str, str]]:
    """Return the looks at somebody: what, and why."""
    return list(Viewing.objects.filter(subject=subject).values_list("what", "reason"))


def file_of(user: User, tab: str = "") -> str:
    """Return the address of a customer's file."""
    return f"/staff/customers/{user.number}/{tab}"


class TestFinding:
    def test_opens_what_a_text_names(self, staff: Client, asha: User) -> None:
        payer, payee = account(balance=1_000, owner=asha), account()
        sent = pay(payer, payee, "rent", reference="INV-7")
        opened = {
            str(asha.number): file_of(asha),
            shown_user_id(asha.number): file_of(asha),
            " ASHA.rao@Example.org ": file_of(asha),
            f"{payer}": f"/staff/accounts/{payer}/",
            f"{str(payer)[:4]} {str(payer)[4:]}": f"/staff/accounts/{payer}/",
            str(sent): f"/staff/transfers/{sent}/",
            "INV-7": f"/staff/transfers/{sent}/",
        }
        for text, address in opened.items():
            assert staff.get(FIND, {"q": text}).headers.get("Location") == address, text

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("10000000001", "As a user ID, this has a wrong check digit"),
            ("100000000018", "As an account number, this has a wrong check digit"),
            ("0f8fad5b-d9cb-469f-a165-70867728950e", "There is no transfer with this id"),
            ("nobody@example.org", "Nothing found"),
            ("\u202e", "Nothing"),
            ("", "What are you looking for?"),
        ],
    )
    def test_says_why_nothing_is_found(self, staff: Client, text: str, words: str) -> None:
        if text == "\u202e":
            words = "invisible character"
        assert words in text_of(staff.get(FIND, {"q": text}))

    def test_lists_whom_a_name_fits_and_notes_the_look(
        self, staff: Client, asha: User, meera: User
    ) -> None:
        other = person(full_name="Ravi Iyer", email="ravi@example.org")
        page = text_of(staff.get(FIND, {"q": "rao"}))
        assert "Asha Rao" in page
        assert "a•••@e•••.org" in page
        assert "asha.rao@" not in page
        assert "+9198200" not in page
        assert seen_of(asha) == [("search", "")]
        assert seen_of(other) == []
        assert Viewing.objects.get().viewer == meera

    def test_goes_on_page_by_page(self, staff: Client) -> None:
        for number in range(27):
            person(full_name=f"Ravi {number:02}")
        first = text_of(staff.get(FIND, {"q": "ravi"}))
        assert "Ravi 24" in first
        assert "Ravi 25" not in first
        onward = re.search(r'href="(\?[^"]+)"\s+rel="next"', first)
        assert onward
        last = text_of(staff.get(FIND + onward[1].replace("&amp;", "&")))
        assert "Ravi 25" in last
        assert "Ravi 24" not in last
        assert staff.get(FIND, {"q": "ravi", "after": "x"}).status_code == 400


class TestHiddenData:
    def reveal(self, staff: Client, asha: User, **changes: Any) -> Any:
        asked = {"what": ["contact"], "reason": "complaint", "words": "ticket 7", **changes}
        return staff.post(file_of(asha, "reveal/"), asked)

    def test_are_shown_for_a_reason_that_the_customer_reads(
        self, staff: Client, asha: User
    ) -> None:
        hidden = text_of(staff.get(file_of(asha)))
        assert "asha.rao@" not in hidden
        assert "+9198200" not in hidden
        assert "1990" not in hidden
        assert self.reveal(staff, asha).headers["Location"] == file_of(asha)
        shown = text_of(staff.get(file_of(asha)))
        assert "asha.rao@example.org" in shown
        assert "+919820012345" in shown
        assert "1990" not in shown
        told = ("revealed: e-mail and telephone", "a complaint: ticket 7")
        assert told in seen_of(asha)
        theirs = Client()
        theirs.force_login(asha)
        looks = text_of(theirs.get("/profile/looks/"))
        assert "ticket 7" in looks
        assert "Meera Joshi" in looks

    def test_are_hidden_again_after_a_quarter_of_an_hour_and_elsewhere(
        self, staff: Client, asha: User, meera: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.reveal(staff, asha)
        elsewhere = Client()
        elsewhere.force_login(meera)
        assert "asha.rao@" not in text_of(elsewhere.get(file_of(asha)))
        later = clock.now() + REVEALED_FOR + timedelta(seconds=1)
        monkeypatch.setattr(clock, "now", lambda: later)
        assert "asha.rao@" not in text_of(staff.get(file_of(asha)))

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"what": []}, "This field is required"),
            ({"what": ["everything"]}, "Select a valid choice"),
            ({"reason": "curious"}, "Select a valid choice"),
            ({"words": " "}, "This field is required"),
            ({"words": "x" * 300}, "at most 140"),
            ({"words": "a\u202eb"}, "invisible character"),
        ],
    )
    def test_stay_hidden_without_a_good_reason(
        self, staff: Client, asha: User, wrong: dict[str, Any], words: str
    ) -> None:
        answer = self.reveal(staff, asha, **wrong)
        assert answer.status_code == 422
        assert words in text_of(answer)
        assert "asha.rao@" not in text_of(answer)
        assert not [why for _what, why in seen_of(asha) if why]


class TestTheFile:
    def test_has_a_tab_for_each_side_of_a_customer(self, staff: Client, asha: User) -> None:
        mine = customer_account(asha, balance=5_000)
        pay(mine, account(), "rent March")
        LogIn.objects.create(
            person=asha, address="203.0.113.9", device="Firefox", result="succeeded"
        )
        expected = {
            "": ["Asha Rao", "₹49.00", "Show hidden data"],
            "accounts/": ["₹49.00"],
            "movements/": ["rent March", "\N{MINUS SIGN}₹1.00"],
            "people/": ["owner", "Asha Rao"],
            "security/": ["Firefox", "203.•••"],
            "limits/": ["Overdraft"],
            "timeline/": ["rent March", "Account opened", "Logged in"],
        }
        for tab, words in expected.items():
            page = text_of(staff.get(file_of(asha, tab)))
            for one in words:
                assert one in page, (tab, one)
            assert "203.0.113.9" not in page
        assert ("customer file", "") in seen_of(asha)

    def test_is_of_customers_alone(self, staff: Client, meera: User) -> None:
        meera.refresh_from_db()
        for number in (meera.number, 10_000_000_000, 7):
            assert staff.get(f"/staff/customers/{number}/").status_code == 404

    def test_tells_all_that_happened_in_one_order(self, staff: Client, asha: User) -> None:
        mine = account(balance=10_000, owner=asha)
        chief = person(full_name="Anjali Bhatt", role=Role.ADMIN)
        at_once = clock.now()
        for number in range(9):
            pay(mine, account(), f"no {number}.")
            LogIn.objects.create(
                person=asha, device=f"log-in {number}.", result="succeeded", at=at_once
            )
            StatusChange.objects.create(
                person=asha,
                status="active",
                reason=f"change {number}.",
                changed_by=chief,
                changed_at=at_once,
            )
            set_status(mine, status=Status.OPEN, client=chief.pk, reason=f"event {number}.")
            Approval.objects.create(
                maker=chief,
                action="accounts.change_role",
                payload={"person": asha.pk},
                reason=f"request {number}.",
                asked_at=at_once,
            )
        seen = list(self.words(staff, asha))
        for kind in ("no", "log-in", "change", "event", "request"):
            of_kind = [word for word in seen if word.startswith(f"{kind} ")]
            assert of_kind == [f"{kind} {number}." for number in reversed(range(9))]
        only = list(self.words(staff, asha, kind="log_in"))
        assert len(only) == 9

    def words(self, staff: Client, asha: User, **asked: str) -> Iterator[str]:
        """Yield the numbered words of all pages of a timeline."""
        address = file_of(asha, "timeline/")
        query = "?" + "&".join(f"{name}={value}" for name, value in asked.items())
        pages = 0
        while query:
            pages += 1
            assert pages < 9, "a page leads to itself"
            page = text_of(staff.get(address + query))
            yield from re.findall(r"(?:no|log-in|change|event|request) \d\.", page)
            onward = re.search(r'href="(\?[^"]+)"\s+rel="next"', page)
            query = onward[1].replace("&amp;", "&") if onward else ""


class TestAnAccount:
    def test_is_shown_as_it_was(self, staff: Client, asha: User) -> None:
        mine = account(balance=5_000, owner=asha)
        address = f"/staff/accounts/{mine}/"
        assert "₹50.00" in text_of(staff.get(address))
        past = text_of(staff.get(address, {"at": "2020-01-01T09:00"}))
        assert "Balance as of" in past
        assert "₹0.00" in past
        assert "Nothing moved" in past

    @pytest.mark.parametrize(
        ("at", "words"),
        [
            ("2999-01-01T09:00", "at least a minute past"),
            ("yesterday", "Enter a valid date/time"),
            ("0001-01-01T00:00", ""),
            ("9999-12-31T23:59", "at least a minute past"),
        ],
    )
    def test_says_what_is_wrong_with_an_instant(self, staff: Client, at: str, words: str) -> None:
        answer = staff.get(f"/staff/accounts/{account(balance=5_000)}/", {"at": at})
        assert answer.status_code == (422 if words else 200)
        assert words in text_of(answer)
        assert "₹50.00" in text_of(answer)

    def test_may_be_the_banks_own(self, staff: Client) -> None:
        account(balance=5_000)
        vault = bank_accounts().number(Place.VAULT)
        page = text_of(staff.get(f"/staff/accounts/{vault}/"))
        assert "Vault" in page
        assert "The bank itself" in page
        assert staff.get("/staff/accounts/999999999/").status_code == 404


class TestTransfers:
    def test_are_shown_filtered_page_by_page(self, staff: Client) -> None:
        payer, payee = account(balance=10_000), account()
        for number in range(52):
            pay(payer, payee, f"no {number}.")
        asked = {"account": str(payer), "kind": "transfer", "least": "0.50"}
        newest = text_of(staff.get(TRANSFERS, asked))
        assert "no 2." in newest
        assert "no 1." not in newest
        onward = re.search(r'href="(\?[^"]+)"\s+rel="next"', newest)
        assert onward
        last = text_of(staff.get(TRANSFERS + onward[1].replace("&amp;", "&")))
        assert "no 1." in last
        assert "no 2." not in last
        assert "no 0." in last
        rows = list(csv.reader(io.StringIO(b"".join(staff.get(FILE, asked)).decode())))
        heading, *found, closing = rows
        assert [row[heading.index("memo")] for row in found] == [
            f"no {number}." for number in reversed(range(52))
        ]
        assert closing[:2] == [spreadsheets.END, "52"]

    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            ({"account": "100000000018"}, "no account number"),
            ({"least": "lots"}, "not an amount"),
            ({"least": "2", "most": "1"}, "less than the least"),
            ({"first": "2026-03-02", "last": "2026-03-01"}, "before the first one"),
            ({"branch": "1"}, "Select a valid choice"),
            ({"state": "x"}, "Select a valid choice"),
            ({"text": "a\u202eb"}, "invisible character"),
        ],
    )
    def test_say_what_is_wrong_with_a_filter(
        self, staff: Client, asked: dict[str, str], words: str
    ) -> None:
        answer = staff.get(TRANSFERS, asked)
        assert answer.status_code == 422
        assert words in text_of(answer)
        assert staff.get(FILE, asked).status_code == 302

    def test_take_the_last_day_there_is(self, staff: Client) -> None:
        days = {"first": "0001-01-01", "last": "9999-12-31", "state": "settled"}
        assert staff.get(TRANSFERS, days).status_code == 200

    @pytest.mark.parametrize(
        ("address", "module"), [(FILE, noting), ("/staff/operations.csv", operations)]
    )
    def test_have_a_file_that_does_not_look_whole_when_it_breaks(
        self, staff: Client, address: str, module: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payer, payee = account(balance=1_000), account()
        for number in range(3):
            pay(payer, payee, f"no {number}.")
        whole = b"".join(staff.get(address)).decode()
        assert whole.rstrip().splitlines()[-1].startswith(spreadsheets.END)
        pieces = count(1)

        def fails(**_look: Any) -> None:
            if next(pieces) == 3:
                raise LookNotNoted

        monkeypatch.setattr(module, "_PIECE", 1)
        monkeypatch.setattr(module, "note_accounts_viewed", fails)
        sent: list[bytes] = []
        with pytest.raises(LookNotNoted):
            sent.extend(staff.get(address))
        assert b"no 2." in b"".join(sent)
        assert spreadsheets.END.encode() not in b"".join(sent)

    def test_are_shown_one_by_one(self, staff: Client, asha: User) -> None:
        mine = customer_account(asha, balance=5_000)
        sent = pay(mine, account(), "rent March", reference="INV-7")
        page = text_of(staff.get(f"/staff/transfers/{sent}/"))
        for words in ("rent March", "INV-7", "₹1.00", "₹49.00", "within one branch", "Asha Rao"):
            assert words in page
        assert ("transfer", "") in seen_of(asha)
        assert staff.get(f"/staff/transfers/{uuid4()}/").status_code == 404


class TestBranchesAndApprovals:
    def test_a_branch_has_its_figures(self, staff: Client, asha: User) -> None:
        mine = customer_account(asha, balance=5_000)
        pay(mine, account(), "rent March")
        assert "HO" in text_of(staff.get("/staff/branches/"))
        page = text_of(staff.get("/staff/branches/HO/"))
        for words in ("node is up", "Current", "₹49.00", "1 account", "Vault", "Transfer"):
            assert words in page
        assert staff.get("/staff/branches/XXX/").status_code == 404

    def test_requests_are_read_and_not_decided(self, staff: Client, asha: User) -> None:
        chief = person(full_name="Anjali Bhatt", role=Role.ADMIN)
        asked = Approval.objects.create(
            maker=chief,
            action="accounts.change_role",
            payload={"person": asha.pk, "role": "employee", "key": "9f"},
            reason="hired",
        )
        address = f"/staff/approvals/{asked.pk}/"
        for page in (text_of(staff.get("/staff/approvals/")), text_of(staff.get(address))):
            for words in ("Change role", "hired", "Anjali Bhatt", "waiting"):
                assert words in page
            assert ">9f<" not in page
        assert ("request", "") in seen_of(asha)
        assert "hired" not in text_of(staff.get("/staff/approvals/", {"state": "done"}))
        assert "hired" in text_of(staff.get(file_of(asha, "limits/")))
        assert staff.get("/staff/approvals/999999/").status_code == 404

    def test_requests_and_events_say_amounts_and_names_as_people_do(
        self, staff: Client, asha: User
    ) -> None:
        mine = customer_account(asha, balance=5_000)
        chief = person(full_name="Anjali Bhatt", role=Role.ADMIN)
        limits = {"overdraft_limit": 70_000, "daily_limit": None}
        asked = Approval.objects.create(
            maker=chief,
            action="transactions.change_limits",
            payload={"account": str(mine), "limits": limits, "key": "9f", "reason": "asked"},
            reason="asked",
        )
        page = text_of(staff.get(f"/staff/approvals/{asked.pk}/"))
        for words in ("Overdraft limit", "₹700.00", "Daily limit"):
            assert words in page
        set_limits(mine, overdraft_limit=70_000, daily_limit=90_000, client=chief.pk, reason="so")
        told = " ".join(text_of(staff.get(file_of(asha, "timeline/"))).split())
        assert "Overdraft limit: ₹0.00 " in told
        assert "₹700.00 </div>" in told
        assert "Daily limit: — " in told
        assert "User: Asha Rao" in told


class TestBadAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            f"/staff/customers/{10**30}/",
            f"/staff/customers/{10**30}/timeline/",
            f"/staff/accounts/{10**30}/",
            f"/staff/approvals/{10**30}/",
            "/staff/branches/%00/",
            "/staff/branches/-/",
            "/staff/transfers/x/",
        ],
    )
    def test_lead_nowhere(self, staff: Client, address: str) -> None:
        assert staff.get(address).status_code == 404


class TestReadingAlone:
    def test_every_address_of_staff_is_to_read_but_reveal_and_clear(
        self, staff: Client, asha: User
    ) -> None:
        written = {"staff-customer-reveal", "operations-clear"}
        values = {"user_id": str(asha.number), "code": "HO"}
        tried = 0
        for route in every_route():
            if not route.address.startswith("/staff/"):
                continue
            tried += 1
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                answer = staff.generic(method, route.filled(values))
                is_written = route.name in written and method == "POST"
                assert (answer.status_code == 405) is not is_written, (method, route.address)
            if route.name in written:
                assert staff.get(route.filled(values)).status_code == 405
        assert tried >= 20
