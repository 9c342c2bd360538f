"""Browsers' sessions: they end when they were to end, and once over they stay so."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session as KeptSession
from django.core.cache import cache
from django.db import connection
from django.test import Client

from accounts.models import Session, User
from accounts.sessions import SessionStore, end_left_over
from bankproject.runtime.postgres import BankUrls
from core import clock
from core.cache import bank_cache
from tests.factories import person
from tests.integration.door.conftest import PASSWORD, verified


@pytest.fixture
def pages(asha: User) -> Client:
    """Give a browser that the customer is logged in with."""
    return logged_in(asha)


def logged_in(person: User) -> Client:
    """Return a browser that a person is logged in with."""
    client = Client()
    client.post("/auth/login/", {"login": person.email, "password": PASSWORD})
    return client


def kept(pages: Client) -> SessionStore:
    """Return a browser's session as a request finds it that is under way."""
    return SessionStore(pages.cookies[settings.SESSION_COOKIE_NAME].value)


def later(monkeypatch: pytest.MonkeyPatch, **passed: float) -> None:
    """Let the clock of the sessions go on."""
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(**passed))


@pytest.mark.django_db
class TestASession:
    def test_ends_after_its_day_however_often_it_is_saved(
        self, pages: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later(monkeypatch, hours=7.99)
        going_on: Any = pages.session
        going_on["seen"] = True
        going_on.save()
        assert going_on.get_expiry_age() < 60
        row = KeptSession.objects.get()
        assert row.expire_date <= Session.objects.get().expires_at
        assert pages.get("/profile/").status_code == 200
        later(monkeypatch, minutes=1)
        assert pages.get("/profile/").status_code == 302

    def test_ends_when_it_is_left_alone(
        self, pages: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _page in range(2):
            assert pages.get("/profile/").status_code == 200
            later(monkeypatch, minutes=14.5)
        assert pages.get("/profile/").status_code == 200
        later(monkeypatch, minutes=15)
        assert pages.get("/profile/").status_code == 302
        assert pages.get("/profile/").status_code == 302

    def test_goes_on_for_who_says_that_they_are_there(
        self, pages: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pages.get("/profile/")
        later(monkeypatch, minutes=14)
        assert pages.post("/session/stay/").status_code == 204
        later(monkeypatch, minutes=14)
        assert pages.get("/profile/").status_code == 200

    def test_of_which_nobody_knows_when_it_ends_is_over(self, pages: Client) -> None:
        going_on: Any = pages.session
        del going_on["bank_session_ends"]
        going_on.save()
        assert pages.get("/profile/").status_code == 302


@pytest.mark.django_db
class TestASessionThatIsOver:
    def test_is_not_brought_back_by_a_request_that_was_under_way(self, pages: Client) -> None:
        under_way = kept(pages)
        under_way["seen"] = True
        kept(pages).delete()
        # What is last of a save that began before the end.
        under_way._keep_now()  # noqa: SLF001  # the last step alone
        assert pages.get("/profile/").status_code == 302
        with pytest.raises(UpdateError):
            under_way.save()

    def test_does_not_go_on_under_another_key(self, pages: Client) -> None:
        under_way = kept(pages)
        assert "_auth_user_id" in under_way
        kept(pages).delete()
        under_way.cycle_key()
        assert Session.objects.get().ended_at
        assert "_auth_user_id" not in under_way


def test_a_session_that_is_over_is_not_brought_back_while_the_head_office_is_silent(
    fresh_bank: BankUrls, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fresh_bank
    pages = logged_in(verified(person()))
    under_way = kept(pages)
    under_way["seen"] = True
    key = str(under_way.session_key)
    connection.close()
    with monkeypatch.context() as patched:
        patched.setitem(connection.settings_dict, "PORT", "1")
        kept(pages).delete()
        with pytest.raises(UpdateError):
            under_way.save()
    assert pages.get("/profile/").status_code == 302
    assert not Session.objects.get().ended_at
    # Who reads the cache meanwhile gets no key of it.
    noted = bank_cache().collected("sessions-left-over")
    assert len(noted) == 1
    assert key not in noted[0]
    bank_cache().collect("sessions-left-over", "put there by a stranger")
    end_left_over()
    assert not bank_cache().collected("sessions-left-over")
    # Nor by the database, once the cache has forgotten it.
    cache.clear()
    assert pages.get("/profile/").status_code == 302
    assert Session.objects.get().ended_at
