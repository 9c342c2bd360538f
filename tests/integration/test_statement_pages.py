"""The statement's page: filters, totals, turning of pages, and what is typed wrongly."""

import csv
import re
from datetime import date, timedelta
from html import unescape
from io import StringIO
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from django.test import Client

from accounts.models import User
from core import clock
from core.clock import bank_day
from core.db.aliases import HEAD_OFFICE
from core.spreadsheets import END
from tests.expectations import nothing_written, remember_names, statements_counted
from tests.factories import account, inr, order, person
from transactions.branches.outcomes import BranchDown
from transactions.ledger.accounts import Status, set_status
from transactions.ledger.posting import BANK_CLIENT, Kind, Transfer, post, post_batch

pytestmark = pytest.mark.django_db

ROW = re.compile(r'class="strong" href="/transfers/[^"]+"><bdi>([^<]*)</bdi>')
STAT = re.compile(r"<dt>([^<]+)</dt>\s*<dd[^>]*>\s*([^\s<]+)")
MINUS = "\N{MINUS SIGN}"


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


@pytest.fixture
def mine(asha: User) -> int:
    """Return an account with ₹100 paid in, and three entries since."""
    number, other = account(balance=10_000, owner=asha), account(balance=5_000)
    post(Transfer(number, other, inr(100), memo="Rent for March"), order=order())
    post(Transfer(number, other, inr(250), Kind.PAYMENT, memo="power"), order=order())
    post(Transfer(other, number, inr(300), memo="back"), order=order())
    return number


def text_of(answer: Any) -> str:
    """Return a page as text."""
    content: str = answer.content.decode()
    return content


def rows(page: str) -> list[str]:
    """Return what the rows are called, from the top."""
    return [unescape(name) for name in ROW.findall(page)]


def stats(page: str) -> dict[str, str]:
    """Return the figures by their names."""
    return dict(STAT.findall(page))


def turned(page: str, way: str) -> str:
    """Return the address to which a page turns."""
    found = re.search(rf'href="(\?[^"]+)" rel="{way}"', page)
    assert found, way
    return unescape(found[1])


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "names", "totals"),
        [
            ("", ["back", "power", "Rent for March", "Cash"], ("+₹103.00", f"{MINUS}₹3.50")),
            ("direction=in", ["back", "Cash"], ("+₹103.00", "+₹0.00")),
            ("direction=out", ["power", "Rent for March"], ("+₹0.00", f"{MINUS}₹3.50")),
            ("amount_min=2.50&amount_max=₹3", ["back", "power"], ("+₹3.00", f"{MINUS}₹2.50")),
            ("kind=payment", ["power"], ("+₹0.00", f"{MINUS}₹2.50")),
            ("text=rENT", ["Rent for March"], ("+₹0.00", f"{MINUS}₹1.00")),
        ],
    )
    def test_show_the_wanted_rows_and_what_they_add_up_to(
        self, pages: Client, mine: int, query: str, names: list[str], totals: tuple[str, str]
    ) -> None:
        page = text_of(pages.get(f"/accounts/{mine}/?{query}"))
        assert [name.replace("Vault", "Cash") for name in rows(page)] == names
        found = stats(page)
        assert (found["In"], found["Out"]) == totals
        assert (found["Opening balance"], found["Closing balance"]) == ("₹0.00", "₹99.50")

    def test_leave_the_running_balance_true(self, pages: Client, mine: int) -> None:
        page = text_of(pages.get(f"/accounts/{mine}/?kind=payment"))
        assert '<td class="amount balance">₹96.50</td>' in page

    def test_of_days_show_the_balances_at_their_ends(self, pages: Client, mine: int) -> None:
        today = bank_day(clock.now())
        tomorrow, yesterday = today + timedelta(days=1), today - timedelta(days=1)
        later = stats(text_of(pages.get(f"/accounts/{mine}/?date_from={tomorrow}")))
        assert (later["Opening balance"], later["Closing balance"]) == ("₹99.50", "₹99.50")
        before = stats(text_of(pages.get(f"/accounts/{mine}/?date_to={yesterday}")))
        assert (before["Opening balance"], before["Closing balance"]) == ("₹0.00", "₹0.00")

    def test_that_nothing_matches_can_be_cleared(self, pages: Client, mine: int) -> None:
        page = text_of(pages.get(f"/accounts/{mine}/?text=nothing+like+it"))
        assert "Nothing matches" in page
        assert f'href="/accounts/{mine}/">Clear filters' in page

    @pytest.mark.parametrize(
        ("query", "field", "words"),
        [
            ("date_from=yesterday", "date_from", "This is no day"),
            ("date_to=2026-02-30", "date_to", "This is no day"),
            ("date_to=9999-12-31", "date_to", "too far away"),
            ("date_from=2026-03-02&date_to=2026-03-01", "date_to", "before the range begins"),
            ("day=x", "day", "This is no day"),
            ("direction=up", "direction", "Select a valid choice"),
            ("kind=move", "kind", "Select a valid choice"),
            ("amount_min=1.234", "amount_min", "has 3"),
            ("amount_max=-1", "amount_max", "no sign"),
            ("amount_max=NaN", "amount_max", "not a number"),
            ("amount_min=5&amount_max=4", "amount_max", "before the range begins"),
            ("text=a%00b", "text", "NUL"),
            (f"text={'x' * 141}", "text", "141 characters"),
            ("text=%E2%80%AEevil", "text", "invisible"),
        ],
    )
    def test_that_are_wrong_are_told_beside_their_field(
        self, pages: Client, mine: int, query: str, field: str, words: str
    ) -> None:
        with nothing_written():
            answer = pages.get(f"/accounts/{mine}/?{query}")
        page = text_of(answer)
        assert answer.status_code == 422
        assert re.search(rf'id="id_{field}_error"[^§]*?{words}', page)
        assert "Error:" in page
        assert "₹99.50" in page
        assert not rows(page)


class TestPages:
    @pytest.fixture
    def long(self, asha: User) -> int:
        """Return an account with 120 entries of ₹1 out and in, after what was paid in."""
        number, other = account(balance=100_000, owner=asha), account(balance=100_000)
        sent = [
            Transfer(*((number, other) if one % 2 else (other, number)), inr(100), memo=f"no {one}")
            for one in range(120)
        ]
        post_batch(sent, order=order())
        return number

    def test_turn_both_ways_and_come_back_to_the_same(self, pages: Client, long: int) -> None:
        address = f"/accounts/{long}/"
        walk = [text_of(pages.get(f"{address}?amount_max=1"))]
        for _ in range(2):
            walk.append(text_of(pages.get(address + turned(walk[-1], "next"))))
        assert [len(rows(page)) for page in walk] == [50, 50, 20]
        names = [name for page in walk for name in rows(page)]
        assert names == [f"no {one}" for one in reversed(range(120))]
        back = text_of(pages.get(address + turned(walk[2], "prev")))
        assert rows(back) == rows(walk[1])
        assert rows(text_of(pages.get(address + turned(back, "prev")))) == rows(walk[0])
        assert {stats(page)["Out"] for page in walk} == {f"{MINUS}₹60.00"}

    def test_begin_with_the_day_that_one_looks_back_from(self, pages: Client, long: int) -> None:
        today = bank_day(clock.now())
        page = text_of(pages.get(f"/accounts/{long}/?day={today}"))
        assert rows(page)[0] == "no 119"
        early = text_of(pages.get(f"/accounts/{long}/?day={date(2020, 1, 1)}"))
        assert "Nothing moved before" in early
        assert stats(early)["Closing balance"] == "₹1,000.00"

    def test_of_another_account_are_not_there(self, pages: Client, long: int, mine: int) -> None:
        turn = turned(text_of(pages.get(f"/accounts/{long}/")), "next")
        assert pages.get(f"/accounts/{mine}/{turn}").status_code == 404
        assert pages.get(f"/accounts/{mine}/?after=x").status_code == 404

    def test_cost_few_queries_however_long_the_history_is(
        self, pages: Client, long: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        remember_names(monkeypatch)
        with statements_counted(monkeypatch) as sent:
            pages.get(f"/accounts/{long}/")
        assert len(sent) <= 6, sent


class TestFiles:
    def content(self, pages: Client, address: str) -> str:
        answer: Any = pages.get(address)
        assert answer.status_code == 200
        assert "attachment" in answer.headers["Content-Disposition"]
        return b"".join(answer.streaming_content).decode()

    def test_of_values_have_exactly_the_wanted_rows_and_a_last_one_that_counts_them(
        self, pages: Client, mine: int
    ) -> None:
        friend = account(balance=500, owner=person(full_name="=cmd()"))
        post(Transfer(friend, mine, inr(5), memo="+1 for you"), order=order())
        file = self.content(pages, f"/accounts/{mine}/statement.csv?direction=in")
        head, *lines, end = csv.reader(StringIO(file))
        found = [dict(zip(head, line, strict=True)) for line in lines]
        assert [one["in"] for one in found] == ["0.05", "3.00", "100.00"]
        assert [one["balance_after"] for one in found] == ["99.55", "99.50", "100.00"]
        assert (found[0]["message"], found[0]["counterparty"]) == ("'+1 for you", "'=cmd()")
        assert end[:2] == [END, "3"]

    def test_are_longer_than_what_is_read_at_once(
        self, pages: Client, asha: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("transactions.statements.whole._PIECE", 3)
        number, other = account(balance=1_000, owner=asha), account()
        post_batch([Transfer(number, other, inr(1))] * 7, order=order())
        file = self.content(pages, f"/accounts/{number}/statement.csv")
        afters = [line["balance_after"] for line in csv.DictReader(StringIO(file))][:-1]
        assert afters == [f"9.{minor}" for minor in range(93, 100)] + ["10.00"]

    def test_of_money_programs_are_ofx_2(self, pages: Client, mine: int) -> None:
        file = self.content(pages, f"/accounts/{mine}/statement.ofx?kind=payment")
        assert file.splitlines()[1].startswith('<?OFX OFXHEADER="200" VERSION="220"')
        whole = fromstring(file)  # noqa: S314  # our own
        statement = whole.find("BANKMSGSRSV1/STMTTRNRS/STMTRS")
        assert statement is not None
        assert [one.tag for one in statement] == [
            "CURDEF", "BANKACCTFROM", "BANKTRANLIST", "LEDGERBAL",
        ]  # fmt: skip
        (entry,) = statement.findall("BANKTRANLIST/STMTTRN")
        assert [one.tag for one in entry] == [
            "TRNTYPE", "DTPOSTED", "DTUSER", "TRNAMT", "FITID", "NAME", "MEMO",
        ]  # fmt: skip
        assert (entry.findtext("TRNAMT"), entry.findtext("TRNTYPE")) == ("-2.50", "PAYMENT")
        assert statement.findtext("LEDGERBAL/BALAMT") == "99.50"

    def test_of_firms_are_camt_053(self, pages: Client, mine: int) -> None:
        friend = account(balance=500, owner=person(full_name="Müller & Söhne <AG> 🦊"))
        post(Transfer(friend, mine, inr(5), memo="A & B"), order=order())
        file = self.content(pages, f"/accounts/{mine}/statement.xml?date_from=2020-01-01")
        space = {"": "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"}
        whole = fromstring(file)  # noqa: S314  # our own
        statement = whole.find("BkToCstmrStmt/Stmt", space)
        assert statement is not None
        assert [one.tag.partition("}")[2] for one in statement] == [
            "Id", "CreDtTm", "FrToDt", "Acct", "Bal", "Bal", "TxsSummry", *["Ntry"] * 5,
        ]  # fmt: skip
        balances = [(one.findtext("Tp/CdOrPrtry/Cd", None, space), one.findtext("Amt", None, space))
                    for one in statement.findall("Bal", space)]  # fmt: skip
        assert balances == [("OPBD", "0.00"), ("CLBD", "99.55")]
        newest = statement.findall("Ntry", space)[0]
        assert [one.tag.partition("}")[2] for one in newest] == [
            "NtryRef", "Amt", "CdtDbtInd", "Sts", "BookgDt", "ValDt", "AcctSvcrRef", "BkTxCd",
            "NtryDtls",
        ]  # fmt: skip
        name = newest.findtext("NtryDtls/TxDtls/RltdPties/Dbtr/Pty/Nm", None, space)
        assert name == "Müller & Söhne <AG> 🦊"
        part = self.content(pages, f"/accounts/{mine}/statement.xml?text=A")
        assert "balances do not follow" in part

    @pytest.mark.parametrize("form", ["csv", "ofx", "xml", "sta"])
    def test_that_break_off_do_not_look_whole(
        self, pages: Client, mine: int, form: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("transactions.statements.whole._PIECE", 2)
        answer: Any = pages.get(f"/accounts/{mine}/statement.{form}")
        sent = []

        def fall_silent(*_asked: object, **_how: object) -> list[object]:
            raise BranchDown(HEAD_OFFICE)

        for reader in ("entries_of", "entries_since"):
            monkeypatch.setattr(f"transactions.statements.whole.{reader}", fall_silent)
        with pytest.raises(BranchDown):
            sent.extend(answer.streaming_content)
        file = b"".join(sent).decode()
        assert "back" in file or "Rent" in file
        assert END not in file
        assert ":62F:" not in file
        assert not file.rstrip().endswith(("</OFX>", "</Document>"))

    def test_of_wrong_filters_lead_to_the_page_that_says_why(
        self, pages: Client, mine: int
    ) -> None:
        answer = pages.get(f"/accounts/{mine}/statement.csv?date_from=x")
        assert answer.headers["Location"] == f"/accounts/{mine}/?date_from=x"
        theirs = account(owner=person())
        assert pages.get(f"/accounts/{theirs}/statement.csv").status_code == 404


def test_names_are_shown_whatever_they_hold(pages: Client, mine: int) -> None:
    long_name = "Ana" * 40
    for name in ("<b>Bo</b>", "علي بن أحمد", "🦊 Fox", long_name):
        friend = account(balance=1_000, owner=person(full_name=name[:150]))
        post(Transfer(friend, mine, inr(1)), order=order())
    page = text_of(pages.get(f"/accounts/{mine}/"))
    assert rows(page)[:4] == [long_name, "🦊 Fox", "علي بن أحمد", "<b>Bo</b>"]
    assert "<b>Bo</b>" not in page


def test_a_frozen_account_says_so(pages: Client, mine: int) -> None:
    set_status(mine, status=Status.FROZEN, client=BANK_CLIENT, reason="test")
    for address in (f"/accounts/{mine}/", "/accounts/", "/"):
        assert "frozen" in text_of(pages.get(address))


def test_amounts_are_hidden_on_every_page_until_they_are_shown_again(
    pages: Client, mine: int
) -> None:
    hidden = pages.post("/amounts/", {"hide": "yes", "next": f"/accounts/{mine}/"})
    assert hidden.headers["Location"] == f"/accounts/{mine}/"
    for address in (f"/accounts/{mine}/", "/accounts/", "/"):
        page = text_of(pages.get(address))
        assert "••••" in page
        assert "₹" not in page
    assert pages.post("/amounts/", {"next": "https://evil.example/"}).headers["Location"] == "/"
    assert "₹99.50" in text_of(pages.get("/"))
