"""People are told what concerns them, by the ways that they chose, each thing once."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail as django_mail
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from core.clock import now
from notifications.messages.models import Channel, Message
from notifications.messages.sending import send_due
from notifications.notices.models import Notice, NoticeKind, Phone
from notifications.notices.preferences import Wish, keep_wishes, wishes_of
from notifications.notices.telling import NewNotice, tell
from notifications.tasks import forget_messages, forget_notices
from tests.factories import account, customer_account, inr, order, person
from tests.integration.webhooks.test_feeding import feed
from transactions import events
from transactions.governing import change_status
from transactions.ledger.accounts import Status
from transactions.ledger.connection import fetch_one
from transactions.ledger.posting import Transfer, post
from transactions.payments.models import Payee
from transactions.payments.telling import tell_of_payee

PHONE = "+919812345678"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def customer(**fields: Any) -> User:
    """Create a customer without a password: hashing one takes a while."""
    return User.objects.create_user(f"{uuid4()}@example.org", None, full_name="Asha Rao", **fields)


def told(user: User) -> list[tuple[str, str]]:
    """Return what is on its way to a person: kind and channel, in order."""
    found = Message.objects.filter(person=user).order_by("created_at", "channel")
    return list(found.values_list("kind", "channel"))


def inbox(user: User) -> list[str]:
    found = Notice.objects.filter(person=user, in_inbox=True).order_by("recorded_at")
    return list(found.values_list("kind", flat=True))


class Killed(Exception):
    """The process that feeds ends here."""


def _die_at_the_end(query: str, *arguments: Any) -> Any:
    if query == "advance_tail":
        raise Killed
    return fetch_one(query, *arguments)


def payee_added(user: User, source: str = "1") -> NewNotice:
    return NewNotice(
        person=user.pk,
        kind=NoticeKind.PAYEE_ADDED,
        source=source,
        occurred_at=now(),
        data={"name": "Ravi <b>", "account": 11_000_000_017},
    )


def code_in(log: Path) -> str:
    """Return the code of the only SMS."""
    (line,) = log.read_text(encoding="utf-8").splitlines()
    found = re.search(r"[0-9]{6}", json.loads(line)["body"])
    assert found is not None
    return found[0]


def mails() -> list[Any]:
    send_due(Channel.EMAIL, clock=now)
    return django_mail.outbox


@pytest.fixture(autouse=True)
def _mails(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.mark.django_db
class TestANotice:
    def test_is_recorded_and_mailed_once_however_often_it_is_told(self) -> None:
        asha = customer()
        for _each in range(2):
            tell([payee_added(asha)], now=now())
        tell([payee_added(asha, "2")], now=now())
        assert inbox(asha) == ["payee_added"] * 2
        assert told(asha) == [("payee_added", "email")] * 2
        assert len(mails()) == 2
        assert len(mails()) == 2

    def test_comes_as_text_and_as_html_that_repeats_nothing_as_code(self) -> None:
        asha = customer()
        tell([payee_added(asha)], now=now())
        (mail,) = mails()
        (html,) = [str(part.content) for part in mail.alternatives]
        assert mail.subject == "A new payee: Ravi <b>"
        assert "Account …0017 can be paid now" in mail.body
        assert "Ravi &lt;b&gt;" in html
        assert "<b>" not in html
        assert "/notifications/" in html

    def test_goes_only_by_the_ways_that_were_chosen(self) -> None:
        asha = customer()
        keep_wishes(asha.pk, {NoticeKind.PAYEE_ADDED: Wish(inbox=True)})
        tell([payee_added(asha)], now=now())
        assert (inbox(asha), told(asha)) == (["payee_added"], [])
        keep_wishes(asha.pk, {NoticeKind.PAYEE_ADDED: Wish()})
        tell([payee_added(asha, "2")], now=now())
        assert (inbox(asha), told(asha)) == (["payee_added"], [])

    @pytest.mark.parametrize("kind", [NoticeKind.LOG_IN, NoticeKind.SECURITY])
    def test_of_security_is_mailed_whatever_was_chosen(self, kind: NoticeKind) -> None:
        asha = customer()
        keep_wishes(asha.pk, {kind: Wish()})
        assert wishes_of([asha.pk])[asha.pk][kind].email
        data = {"title": "Password changed", "device": "Firefox", "address": "192.0.2.1"}
        notice = NewNotice(person=asha.pk, kind=kind, source="1", occurred_at=now(), data=data)
        tell([notice], now=now())
        assert told(asha) == [(kind, "email")]

    def test_goes_by_sms_to_a_number_that_is_verified_and_still_theirs_only(
        self, settings: Settings, tmp_path: Any
    ) -> None:
        settings.SMS_URL = f"file://{tmp_path}/sms.log"
        asha = customer(phone=PHONE)
        keep_wishes(asha.pk, {NoticeKind.PAYEE_ADDED: Wish(sms=True)})
        tell([payee_added(asha)], now=now())
        assert told(asha) == []
        phone = Phone.objects.create(
            person=asha, number=PHONE, code_sent_at=now(), verified_at=now()
        )
        tell([payee_added(asha, "2")], now=now())
        assert told(asha) == [("payee_added", "sms")]
        send_due(Channel.SMS, clock=now)
        assert "Bankproject: A new payee: Ravi" in (tmp_path / "sms.log").read_text("utf-8")
        Phone.objects.filter(pk=phone.pk).update(number="+919800000000")
        tell([payee_added(asha, "3")], now=now())
        assert len(told(asha)) == 1

    def test_that_cannot_be_worded_hinders_no_other(self) -> None:
        asha = customer()
        bad = NewNotice(
            person=asha.pk, kind=NoticeKind.MONEY_IN, source="1", occurred_at=now(), data={}
        )
        keep_wishes(asha.pk, {NoticeKind.MONEY_IN: Wish(email=True)})
        tell([bad, payee_added(asha)], now=now())
        assert [mail.subject for mail in mails()] == ["A new payee: Ravi <b>"]


@pytest.mark.usefixtures("fresh_bank")
class TestMoney:
    def test_is_told_of_as_each_wants_it_once_also_by_who_dies_before_the_cursor_moves(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asha, ravi = customer(), customer()
        payer, payee = account(balance=100_000, owner=asha), account(owner=ravi)
        feed()
        keep_wishes(
            asha.pk,
            {
                NoticeKind.MONEY_OUT: Wish(email=True, threshold=5_000),
                NoticeKind.LOW_BALANCE: Wish(inbox=True, threshold=50_000),
            },
        )
        keep_wishes(ravi.pk, {NoticeKind.MONEY_IN: Wish(inbox=True)})
        for amount in (4_999, 5_000, 60_000, 1_000):
            post(Transfer(payer, payee, inr(amount), memo="Rent"), order=order())
        with monkeypatch.context() as dying:
            dying.setattr(events, "fetch_one", _die_at_the_end)
            with pytest.raises(Killed):
                feed()
        feed()
        feed()
        assert told(asha) == [("money_out", "email")] * 2
        assert inbox(asha) == ["low_balance"]
        assert inbox(ravi) == ["money_in"] * 4
        first, _second = sorted(mails(), key=lambda mail: len(mail.subject))
        assert first.subject == f"₹50.00 left account …{str(payer)[-4:]}"
        assert "Rent. Balance now: ₹900.01." in first.body

    def test_of_who_wants_nothing_costs_nothing(self) -> None:
        asha = customer()
        account(balance=1_000, owner=asha)
        feed()
        assert not Notice.objects.exists()

    def test_on_an_account_that_is_frozen_is_told_once(self) -> None:
        asha = customer()
        number = customer_account(asha)
        for _each in range(2):
            change_status(
                number, status=Status.FROZEN, client=asha.pk, key="freeze", reason="a court asks"
            )
        assert inbox(asha) == ["status_changed"]
        assert told(asha) == [("status_changed", "email")]


@pytest.mark.django_db
class TestALogIn:
    @pytest.fixture
    def asha(self) -> User:
        return person()

    def log_in(self, asha: User, agent: str = FIREFOX) -> None:
        from allauth.account.models import EmailAddress

        EmailAddress.objects.get_or_create(user=asha, email=asha.email, verified=True, primary=True)
        form = {"login": asha.email, "password": "correct horse battery staple"}
        answer = Client(HTTP_USER_AGENT=agent).post(reverse("account_login"), form)
        assert answer.status_code == 302, answer.content

    def test_from_a_new_device_is_mailed_with_what_there_is(self, asha: User) -> None:
        number = account(balance=123_456, owner=asha)
        self.log_in(asha)
        (mail,) = mails()
        (html,) = [str(part.content) for part in mail.alternatives]
        for text in (mail.body, html):
            assert "Firefox on Linux" in text
            assert "₹1,234.56" in text
            assert f"…{str(number)[-4:]}" in text
            assert "1 movement" in text
        self.log_in(asha)
        assert len(told(asha)) == 1
        self.log_in(asha, agent="Mozilla/5.0 (iPhone) Safari/605.1")
        assert len(told(asha)) == 2

    def test_is_mailed_every_time_to_who_wants_that(self, asha: User) -> None:
        keep_wishes(asha.pk, {NoticeKind.LOG_IN: Wish(email=True, every_time=True)})
        for _each in range(3):
            self.log_in(asha)
        assert told(asha) == [("log_in", "email")] * 3


@pytest.mark.django_db
class TestThePages:
    @pytest.fixture
    def asha(self) -> User:
        return customer(phone=PHONE)

    @pytest.fixture
    def client(self, asha: User) -> Client:
        client = Client()
        client.force_login(asha, "accounts.last_seen.PeopleBackend")
        return client

    def test_show_what_is_new_until_it_was_read(self, asha: User, client: Client) -> None:
        payee = Payee(pk=uuid4(), user=asha, account=11_000_000_017, nickname="Ravi")
        tell_of_payee(payee, now=now())
        page = client.get("/inbox/").content.decode()
        assert "A new payee: Ravi" in page
        assert "1 new" in page
        until = re.search(r'name="until" value="([^"]+)"', page)
        assert until is not None
        client.post("/inbox/read/", {"until": until[1]})
        page = client.get("/inbox/").content.decode()
        assert "A new payee: Ravi" in page
        assert "1 new" not in page

    def test_keep_what_somebody_chooses(self, asha: User, client: Client) -> None:
        chosen = {
            "money_out_email": "on",
            "money_out_amount": "1,25,000.50",
            "low_balance_inbox": "on",
            "low_balance_amount": "₹500",
            "every_time": "on",
            "money_in_sms": "on",
        }
        assert client.post("/notifications/", chosen).status_code == 302
        kept = wishes_of([asha.pk])[asha.pk]
        assert kept["money_out"] == Wish(email=True, threshold=12_500_050)
        assert kept["low_balance"] == Wish(inbox=True, threshold=50_000)
        assert kept["log_in"] == Wish(email=True, every_time=True)
        # Without a verified number there is nothing to send to.
        assert not kept["money_in"].sms
        assert not kept["payee_added"].is_told
        assert "checked" in client.get("/notifications/").content.decode()

    @pytest.mark.parametrize(
        ("typed", "field"),
        [
            ({"money_out_amount": "12,5,0"}, "money_out_amount"),
            ({"money_in_amount": "-5"}, "money_in_amount"),
            ({"low_balance_email": "on"}, "low_balance_amount"),
            ({"money_in_amount": "99999999999999999999999"}, "money_in_amount"),
        ],
    )
    def test_refuse_what_is_no_amount_beside_the_field(
        self, asha: User, client: Client, typed: dict[str, str], field: str
    ) -> None:
        answer = client.post("/notifications/", typed)
        assert answer.status_code == 422
        assert f'href="#id_{field}"' in answer.content.decode()
        assert wishes_of([asha.pk])[asha.pk]["low_balance"] == Wish()

    def test_take_a_number_for_verified_by_the_code_that_came_to_it(
        self, client: Client, settings: Settings, tmp_path: Any
    ) -> None:
        settings.SMS_URL = f"file://{tmp_path}/sms.log"
        page = client.post("/notifications/phone/").content.decode()
        assert "Check the code" in page
        code = code_in(tmp_path / "sms.log")
        assert client.post("/notifications/phone/").status_code == 422
        wrong = "000000" if code != "000000" else "111111"
        assert client.post("/notifications/phone/", {"code": wrong}).status_code == 422
        assert client.post("/notifications/phone/", {"code": code}).status_code == 302
        assert PHONE in client.get("/notifications/").content.decode()
        assert len((tmp_path / "sms.log").read_text("utf-8").splitlines()) == 1

    def test_take_no_more_than_a_few_codes(
        self, asha: User, client: Client, settings: Settings, tmp_path: Any
    ) -> None:
        settings.SMS_URL = f"file://{tmp_path}/sms.log"
        client.post("/notifications/phone/")
        code = code_in(tmp_path / "sms.log")
        wrong = "000000" if code != "000000" else "111111"
        for _each in range(5):
            client.post("/notifications/phone/", {"code": wrong})
        assert client.post("/notifications/phone/", {"code": code}).status_code == 422
        assert not Phone.objects.get(pk=asha.pk).verified_at

    def test_hide_amounts_from_who_looks_over_the_shoulder(
        self, asha: User, client: Client
    ) -> None:
        data = {"account": 11_000_000_017, "amount": 77, "balance": 88, "currency": "INR"}
        keep_wishes(asha.pk, {NoticeKind.MONEY_IN: Wish(inbox=True)})
        tell(
            [
                NewNotice(
                    person=asha.pk,
                    kind=NoticeKind.MONEY_IN,
                    source="1",
                    occurred_at=now(),
                    data=data,
                )
            ],
            now=now(),
        )
        assert "₹0.77" in client.get("/inbox/").content.decode()
        client.cookies["hide_amounts"] = "yes"
        page = client.get("/inbox/").content.decode()
        assert "0.77" not in page
        assert "0.88" not in page


@pytest.mark.django_db
def test_what_is_old_is_forgotten_and_what_still_waits_is_not() -> None:
    asha = customer()
    tell([payee_added(asha), payee_added(asha, "2")], now=now() - timedelta(days=500))
    assert len(mails()) == 2
    tell([payee_added(asha, "3")], now=now() - timedelta(days=500))
    tell([payee_added(asha, "4")], now=now())
    assert (forget_notices(), forget_messages()) == (3, 2)
    assert len(inbox(asha)) == 1
    assert len(told(asha)) == 2
