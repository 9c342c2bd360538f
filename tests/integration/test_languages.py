"""The language of pages and mails: chosen, kept, or asked for; programs are answered in English."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.utils.translation import override

from accounts.mails import send_mail_to
from accounts.models import User, Viewing
from accounts.reveals import PersonalData, RevealReason, reveal
from tests.factories import account, person
from tests.integration.test_pages import entries

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"
HINDI = '<html lang="hi"'


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


def page(client: Client, address: str, **headers: str) -> str:
    """Return a page as text."""
    return client.get(address, headers=headers).content.decode()


class TestPages:
    def test_is_in_the_language_the_browser_asks_for(self) -> None:
        shown = page(Client(), "/auth/login/", **{"Accept-Language": "hi-IN,hi;q=0.9,en;q=0.1"})
        assert HINDI in shown
        assert "लॉग इन करें" in shown

    def test_is_in_english_where_the_browser_asks_for_what_we_have_not(self) -> None:
        assert 'lang="en-in"' in page(Client(), "/auth/login/", **{"Accept-Language": "fi"})

    def test_keeps_the_language_chosen_on_it_whatever_the_browser_asks_for(self) -> None:
        client = Client()
        answer = client.post("/language/", {"language": "hi", "next": "/auth/login/"})
        assert answer.headers["Location"] == "/auth/login/"
        assert HINDI in page(client, "/auth/login/", **{"Accept-Language": "en"})

    @pytest.mark.parametrize("language", ["", "fi", "hi; DROP", "hi\r\n"])
    def test_refuses_a_language_there_is_not(self, language: str) -> None:
        answer = Client().post("/language/", {"language": language})
        assert answer.status_code == 400
        assert not answer.cookies

    def test_does_not_lead_elsewhere_after_the_choice(self) -> None:
        sent = {"language": "hi", "next": "https://evil.example/"}
        assert Client().post("/language/", sent).headers["Location"] == "/"

    def test_is_in_their_language_wherever_somebody_logs_in(
        self, pages: Client, asha: User
    ) -> None:
        pages.post("/language/", {"language": "hi"})
        EmailAddress.objects.create(user=asha, email=asha.email, verified=True, primary=True)
        elsewhere = Client()
        elsewhere.post("/auth/login/", {"login": asha.email, "password": PASSWORD})
        assert HINDI in page(elsewhere, "/", **{"Accept-Language": "en"})

    def test_writes_money_and_days_as_its_readers_do(self, pages: Client, asha: User) -> None:
        account(owner=asha, balance=12_500_050)
        pages.cookies["language"] = "hi"
        shown = page(pages, "/")
        assert "₹1,25,000.50" in shown
        assert "हमारे पास आपके पैसे" in shown

    def test_refuses_in_its_language(self, pages: Client, asha: User) -> None:
        typed = entries(account(owner=asha), account(), amount="१,२५०.५०")
        pages.cookies["language"] = "hi"
        answer = pages.post("/transfers/new/", typed)
        assert "खाते में पर्याप्त पैसे नहीं हैं।" in answer.content.decode()

    def test_that_is_not_there_says_so_in_its_language(self) -> None:
        answer = Client().get("/nowhere/", headers={"Accept-Language": "hi"})
        assert "इस पते पर कुछ नहीं है।" in answer.content.decode()


class TestPrograms:
    def test_are_refused_in_english(self) -> None:
        headers = {"Accept-Language": "hi"}
        answer: Any = Client().get("/api/v1/accounts/", headers=headers)
        assert "Content-Language" not in answer.headers
        assert answer.content.isascii()


class TestMails:
    def test_is_in_the_language_of_who_gets_it(self, asha: User) -> None:
        asha.language = "hi"
        send_mail_to(asha, "step_up", code="123456", minutes=5)
        send_mail_to(person(), "step_up", code="123456", minutes=5)
        assert [one.subject for one in mail.outbox] == ["आपका कोड", "Your code"]
        assert "नमस्ते Asha Rao," in mail.outbox[0].body


class TestNotes:
    def test_is_kept_in_english_and_read_in_the_language_of_the_page(
        self, pages: Client, asha: User
    ) -> None:
        staff = person(role="employee")
        with override("hi"):
            reveal(
                viewer=staff.pk,
                subject=asha.pk,
                what=[PersonalData.CONTACT],
                reason=RevealReason.COMPLAINT,
                words="about a card",
            )
        assert Viewing.objects.get().what == "revealed: e-mail and telephone"
        pages.cookies["language"] = "hi"
        assert "दिखाया गया: ई-मेल और टेलीफ़ोन" in page(pages, "/profile/looks/")
