"""Files of payments: read with care, checked item by item, and sent once."""

import re
from datetime import timedelta
from typing import Any
from xml.sax.saxutils import escape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from core import clock
from core.clock import bank_day
from tests.codes import mailed_code
from tests.expectations import nothing_written
from tests.factories import account, bank_accounts, person
from tests.integration.money.api import client_of, refusal
from tests.pain001 import NAMESPACE, Wish, pain001
from transactions.bulk import files
from transactions.bulk.files import bulk_file, receive_file
from transactions.bulk.models import BulkFile
from transactions.bulk.pain001 import MOST_BYTES, MOST_PAYMENTS, read_pain001
from transactions.chart import Place
from transactions.governing import limit_payee
from transactions.ledger.posting import BANK_CLIENT
from transactions.ledger.reads import balances

pytestmark = pytest.mark.django_db
FILES = "/payment-files/"
CHALLENGE = re.compile(r'name="step_up_challenge"\s+value="([^"]+)"')
TODAY = bank_day(clock.now())


@pytest.fixture
def pages(asha: User) -> Client:
    """Give a browser that the customer is logged in with."""
    client = Client()
    client.force_login(asha)
    return client


def upload(pages: Client, content: bytes, name: str = "wages.xml") -> Any:
    """Give the bank a file on its page."""
    return pages.post(FILES, {"file": SimpleUploadedFile(name, content, "application/xml")})


def text_of(answer: Any) -> str:
    """Return a page as text, blanks as one."""
    return " ".join(answer.content.decode().split())


def amounts(*numbers: int) -> list[int]:
    """Return what is in accounts."""
    return [one.balance for one in balances(numbers)]


class TestAFileOfPayments:
    def test_goes_from_form_to_check_to_its_receipt_and_moves_money_once(
        self, pages: Client, mine: int, theirs: int
    ) -> None:
        content = pain001(
            [
                Wish(mine, theirs, "400.00", memo="wages March", reference="W-1"),
                Wish(mine, theirs, "0.07", reference="W-2"),
            ]
        )
        before = amounts(mine, theirs)
        with nothing_written():
            address = upload(pages, content).headers["Location"]
            check = text_of(pages.get(address))
        assert "Send 2 payments" in check
        assert "₹400.07" in check
        assert "Vikram S." in check
        for _again in range(2):
            assert pages.post(f"{address}send/").headers["Location"] == address
        assert amounts(mine, theirs) == [before[0] - 400_07, before[1] + 400_07]
        receipt = text_of(pages.get(upload(pages, content).headers["Location"]))
        assert "The same file is never sent twice" in receipt
        assert receipt.count(">Receipt") == 2
        assert "Send 2" not in receipt

    def test_sends_what_it_can_and_tells_why_not_the_rest(
        self, asha: User, pages: Client, mine: int, theirs: int
    ) -> None:
        yen = account(balance=100, currency="JPY", owner=asha)
        foreign = account(balance=100, owner=person())
        vault = bank_accounts().number(Place.VAULT)
        wishes = {
            "": Wish(mine, theirs, "1.00"),
            "unknown_debit_account": Wish(foreign, theirs, "1.00"),
            "invalid_account_number": Wish(mine, "123", "1.00"),
            "currency_mismatch": Wish(yen, theirs, "1.00"),
            "too_many_decimals": Wish(yen, theirs, "1.50", currency="JPY"),
            "unknown_currency": Wish(mine, theirs, "1.00", currency="XXX"),
            "unknown_credit_account": Wish(mine, vault, "1.00"),
            "same_account": Wish(mine, mine, "1.00"),
            "text_too_long": Wish(mine, theirs, "1.00", memo="x" * 141),
            "text_has_format": Wish(mine, theirs, "1.00", memo="a\u202eb"),
            "insufficient_funds": Wish(mine, theirs, "99999999.00"),
        }
        address = upload(pages, pain001(list(wishes.values()))).headers["Location"]
        answer = pages.post(f"{address}send/")
        challenge = CHALLENGE.search(answer.content.decode())
        assert challenge
        code = {"step_up_challenge": challenge[1], "step_up_code": mailed_code()}
        pages.post(f"{address}send/", code)
        shown = bulk_file(asha.pk, file_id=BulkFile.objects.get().pk)
        assert [one.code for one in shown.payments] == list(wishes)
        assert shown.counted("posted") == 1
        assert "Not sent" in text_of(pages.get(address))

    def test_asks_for_a_code_when_the_sum_is_large(
        self, pages: Client, mine: int, theirs: int
    ) -> None:
        content = pain001([Wish(mine, theirs, "30000.00")] * 3 + [Wish(mine, theirs, "10000.00")])
        address = upload(pages, content).headers["Location"]
        before = amounts(mine)
        with nothing_written():
            assert pages.post(f"{address}send/").status_code == 422
        assert amounts(mine) == before

    def test_keeps_to_what_a_new_payee_may_get(
        self, asha: User, pages: Client, mine: int, theirs: int
    ) -> None:
        limit_payee(mine, payee=theirs, daily_limit=500, client=BANK_CLIENT, reason="new")
        address = upload(pages, pain001([Wish(mine, theirs, "4.00")] * 2)).headers["Location"]
        pages.post(f"{address}send/")
        shown = bulk_file(asha.pk, file_id=BulkFile.objects.get().pk)
        assert [one.status for one in shown.payments] == ["posted", "refused"]

    def test_with_the_payments_of_another_is_warned_of_and_makes_none_twice(
        self, asha: User, pages: Client, mine: int, theirs: int
    ) -> None:
        wish = Wish(mine, theirs, "5.00", reference="W-1")
        first = upload(pages, pain001([wish])).headers["Location"]
        pages.post(f"{first}send/")
        after = amounts(mine)
        second = upload(pages, pain001([wish], day=TODAY - timedelta(days=1))).headers["Location"]
        assert second != first
        assert "Another file with the same message id" in text_of(pages.get(second))
        pages.post(f"{second}send/")
        assert amounts(mine) == after
        newest = BulkFile.objects.latest("received_at")
        (payment,) = bulk_file(asha.pk, file_id=newest.pk).payments
        assert payment.code == "duplicate_reference"

    def test_is_nobody_elses(self, pages: Client, mine: int, theirs: int) -> None:
        address = upload(pages, pain001([Wish(mine, theirs, "1.00")])).headers["Location"]
        other = Client()
        other.force_login(person())
        assert other.get(address).status_code == 404
        assert other.post(f"{address}send/").status_code == 404

    def test_of_which_nothing_can_be_sent_says_so(self, pages: Client, theirs: int) -> None:
        address = upload(pages, pain001([Wish("123", theirs, "1.00")])).headers["Location"]
        answer = pages.post(f"{address}send/")
        assert answer.status_code == 422
        assert "None of the payments can be sent" in text_of(answer)

    def test_that_is_never_sent_gives_way_to_newer_ones(
        self, asha: User, mine: int, theirs: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(files, "_MOST_UNSENT", 2)
        for which in range(4):
            content = pain001([Wish(mine, theirs, "1.00")], message_id=f"M-{which}")
            receive_file(asha.pk, content=content, name="x", now=clock.now())
        names = BulkFile.objects.order_by("received_at").values_list("message_id", flat=True)
        assert list(names) == ["M-2", "M-3"]


class TestOverTheApi:
    def send(self, api: Client, content: str) -> Any:
        body = {"pain001": content}
        return api.post("/api/v1/payment-files", body, content_type="application/json")

    def test_is_sent_at_once_with_a_result_for_each_payment(
        self, asha: User, mine: int, theirs: int
    ) -> None:
        wishes = [Wish(mine, theirs, "4.00", reference="W-1"), Wish(mine, "7", "1.00")]
        content = pain001(wishes).decode()
        before = amounts(mine)
        first, again = (self.send(client_of(asha), content) for _ in range(2))
        assert first.status_code == 200
        told = first.json()
        assert (told["posted"], told["refused"], told["unanswered"]) == (1, 1, 0)
        statuses = [(one["status"], one.get("code")) for one in told["results"]]
        assert statuses == [("posted", None), ("refused", "invalid_account_number")]
        assert told == again.json()
        assert amounts(mine) == [before[0] - 400]

    def test_needs_a_code_for_a_large_sum(self, asha: User, mine: int, theirs: int) -> None:
        before = amounts(mine)
        answer = self.send(client_of(asha), pain001([Wish(mine, theirs, "50000")] * 2).decode())
        assert refusal(answer, 403)[0] == "step_up_required"
        assert amounts(mine) == before

    @pytest.mark.parametrize(
        ("content", "code"),
        [("x", "not_xml"), ("", "text_too_short"), ("x" * (MOST_BYTES + 1), "text_too_long")],
    )
    def test_that_is_none_is_refused(self, asha: User, content: str, code: str) -> None:
        answer = self.send(client_of(asha), content)
        assert refusal(answer, 422) == (code, ["/pain001"])


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><x>&b;&b;&b;&b;</x>'
SPY = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
OTHER = (
    b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt/></Document>'
)
ONE = Wish("1", "2", "1.00")


class TestAFileThatIsNoneSaysWhatIsWrong:
    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "not_xml"),
            (b"hello", "not_xml"),
            (b"<a><b></a>", "not_xml"),
            (b"\xff\xfe\x00", "not_xml"),
            (b'<?xml version="1.0" encoding="nonsense"?><a/>', "not_xml"),
            (b"<a>" * 100_000, "not_xml"),
            (BOMB, "not_pain001"),
            (SPY, "not_pain001"),
            (b"<Document/>", "not_pain001"),
            (OTHER, "not_pain001"),
            (f'<Document xmlns="{NAMESPACE}"/>'.encode(), "not_pain001"),
            (b" " * (MOST_BYTES + 1), "file_too_large"),
            (pain001([]), "no_payments"),
            (pain001([ONE], count=2), "count_differs"),
            (pain001([ONE], count="x"), "count_differs"),
            (pain001([ONE], total="1.01"), "sum_differs"),
            (pain001([ONE], total="NaN"), "sum_differs"),
            (pain001([ONE] * (MOST_PAYMENTS + 1)), "too_many_payments"),
            (pain001([ONE], message_id="a\u202eb"), "text_has_format"),
        ],
    )
    def test_as_a_whole(self, content: bytes, code: str) -> None:
        with pytest.raises(Exception) as refused:  # noqa: PT011  # its code is looked at
            read_pain001(content, today=TODAY)
        assert getattr(refused.value, "code", refused.value) == code

    @pytest.mark.parametrize("content", [b"", BOMB, b"x" * 2_000_000, b"x" * 3_000_000])
    def test_on_its_page(self, pages: Client, content: bytes) -> None:
        answer = upload(pages, content)
        assert answer.status_code == 422
        assert 'id="id_file_error"' in answer.content.decode()
        assert not BulkFile.objects.exists()

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"method": "CHK"}, "payment_not_taken"),
            ({"day": "soon"}, "payment_not_taken"),
            ({"day": TODAY + timedelta(days=1)}, "for_a_later_day"),
        ],
    )
    def test_of_a_group_of_payments(self, changes: dict[str, Any], code: str) -> None:
        (payment,) = read_pain001(pain001([ONE], **changes), today=TODAY).payments
        assert payment.fault is not None
        assert payment.fault.code == code

    def test_of_an_iban(self, mine: int, theirs: int) -> None:
        content = pain001([Wish(mine, theirs, "1.00")])
        named = f"<Othr><Id>{theirs}</Id></Othr>".encode()
        (payment,) = read_pain001(
            content.replace(named, b"<IBAN>DE02120300000000202051</IBAN>"), today=TODAY
        ).payments
        assert payment.fault is not None
        assert payment.fault.code == "iban_not_taken"

    def test_names_are_shown_whatever_they_hold(
        self, pages: Client, mine: int, theirs: int
    ) -> None:
        content = pain001([Wish(mine, theirs, "1.00", name="<b>Bo</b>", memo=escape("<i>"))])
        page = pages.get(upload(pages, content, "<u>.xml").headers["Location"]).content.decode()
        assert "<b>Bo" not in page
        assert "<u>" not in page
