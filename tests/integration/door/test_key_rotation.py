"""A new ``SECRET_KEY``: nobody is logged out by it, and the one before can be forgotten."""

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.test import Client
from django.utils.crypto import get_random_string
from pytest_django import Settings

from accounts.known import forget_all
from accounts.models import User
from accounts.second_factor import SecondFactorAdapter
from core.clock import now
from notifications.webhooks import endpoints, signing
from notifications.webhooks.models import Endpoint
from tests.integration.door.conftest import PASSWORD, ask, code_of, tokens

pytestmark = pytest.mark.django_db


def rotate(settings: Settings, *, keep: bool = True) -> None:
    """Restart the bank with another key; what the cache holds stays."""
    former = [settings.SECRET_KEY] if keep else []
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = get_random_string(50), former
    forget_all()


def browser(user: User) -> Client:
    """Return a browser in which somebody is logged in, and whom the cache knows."""
    client = Client()
    client.post("/auth/login/", {"login": user.email, "password": PASSWORD})
    assert client.get("/api/v1/me/sessions").status_code == 200
    return client


def test_tokens_and_sessions_go_on_under_a_new_key(asha: User, settings: Settings) -> None:
    before, page, program = tokens(asha), browser(asha), browser(asha)
    assert ask("me/sessions", token=before["access_token"]).status_code == 200
    rotate(settings)
    assert ask("me/sessions", token=before["access_token"]).status_code == 200
    after = ask("auth/refresh", {"refresh_token": before["refresh_token"]}).json()
    assert ask("me/sessions", token=after["access_token"]).status_code == 200
    assert program.get("/api/v1/me/sessions").status_code == 200
    assert page.get("/").status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    forget_all()
    assert page.get("/").status_code == 200
    assert ask("me/sessions", token=after["access_token"]).status_code == 200


def test_who_logs_in_under_a_new_key_is_known_at_once(asha: User, settings: Settings) -> None:
    ask("me/sessions", token=tokens(asha)["access_token"])
    rotate(settings)
    assert ask("me/sessions", token=tokens(asha)["access_token"]).status_code == 200


def test_another_password_ends_tokens_of_a_former_key_too(asha: User, settings: Settings) -> None:
    before = tokens(asha)
    rotate(settings)
    asha.set_password("seven purple elephants dance")
    asha.save()
    forget_all()
    assert code_of(ask("auth/refresh", {"refresh_token": before["refresh_token"]}))


def test_a_key_that_is_not_kept_opens_nothing(asha: User, settings: Settings) -> None:
    before, page = tokens(asha), browser(asha)
    rotate(settings, keep=False)
    assert code_of(ask("me/sessions", token=before["access_token"])) == "invalid_token"
    assert code_of(ask("auth/refresh", {"refresh_token": before["refresh_token"]}))
    assert page.get("/").status_code == 302


def test_resealed_secrets_open_without_the_former_key(
    asha: User, secret: str, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "https://1.1.1.1/hook"
    made = endpoints.register_endpoint(asha.pk, url=url, event_types=["*"], now=now())
    rotated = endpoints.rotate_secret(asha.pk, endpoint_id=made.endpoint.pk, now=now())
    rotate(settings)
    for expected in ("3 secrets are sealed", "0 secrets are sealed"):
        call_command("reseal")
        assert expected in capsys.readouterr().out
    settings.SECRET_KEY_FALLBACKS = []
    kept = Endpoint.objects.get()
    assert signing.open_sealed(bytes(kept.secret)) == rotated.secret
    assert signing.open_sealed(bytes(kept.former_secret or b"")) == made.secret
    factor = Authenticator.objects.get(user=asha)
    assert SecondFactorAdapter().decrypt(factor.data["secret"]) == secret
