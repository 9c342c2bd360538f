"""The second factor: asked for at every door, and never walked round."""

import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client

from accounts.models import LogIn, User
from tests.integration.door.conftest import PASSWORD, ask, code_of, log_in

pytestmark = pytest.mark.django_db

# What concerns second factors is only for who has just given the password again.
AGAIN = "/auth/reauthenticate/"
JSON = "application/json"


def code_now(secret: str) -> str:
    """Return the code that an authenticator app shows now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def forget_used_codes() -> None:
    """Let the code of just now be good once more."""
    cache.clear()


def begun(user: User) -> Any:
    """Begin a log-in and return the door's question for a second factor."""
    answer = log_in(user)
    assert code_of(answer) == "mfa_required"
    return answer.json()


def test_a_program_gives_it_and_gets_tokens(asha: User, secret: str) -> None:
    question = begun(asha)
    assert question["methods"] == ["totp"]
    assert "access_token" not in question
    body = {"mfa_token": question["mfa_token"], "code": code_now(secret)}
    answer = ask("auth/mfa", body)
    assert answer.status_code == 200
    assert not answer.cookies
    assert ask("me/sessions", token=answer.json()["access_token"]).status_code == 200
    assert code_of(ask("auth/mfa", body)) == "mfa_token_expired"


def test_a_wrong_code_is_noted_and_may_be_tried_again(asha: User, secret: str) -> None:
    question = begun(asha)
    wrong = {"mfa_token": question["mfa_token"], "code": "x"}
    assert code_of(ask("auth/mfa", wrong)) == "wrong_code"
    right = {**wrong, "code": code_now(secret)}
    assert ask("auth/mfa", right).status_code == 200
    results = LogIn.objects.filter(person=asha).values_list("result", flat=True)
    assert list(results) == ["succeeded", "wrong_code"]


def test_codes_cannot_be_guessed_through(asha: User, secret: str) -> None:
    question = begun(asha)
    answers = [
        ask("auth/mfa", {"mfa_token": question["mfa_token"], "code": f"{guess:06}"}).json()["code"]
        for guess in range(7)
    ]
    assert "too_many_attempts" in answers
    right = {"mfa_token": question["mfa_token"], "code": code_now(secret)}
    assert code_of(ask("auth/mfa", right), 429) == "too_many_attempts"


def test_a_code_is_good_once(asha: User, secret: str) -> None:
    first, second = begun(asha), begun(asha)
    code = code_now(secret)
    assert ask("auth/mfa", {"mfa_token": first["mfa_token"], "code": code}).status_code == 200
    again = ask("auth/mfa", {"mfa_token": second["mfa_token"], "code": code})
    assert code_of(again) == "wrong_code"


@pytest.mark.usefixtures("secret")
def test_a_recovery_code_does_as_well_once(asha: User) -> None:
    code = RecoveryCodes.activate(asha).get_unused_codes()[0]
    for expected in (200, 401):
        body = {"mfa_token": begun(asha)["mfa_token"], "code": code}
        assert ask("auth/mfa", body).status_code == expected


@pytest.mark.parametrize("token", ["x", "a" * 32, "\x00" * 32, "é" * 32])
def test_its_token_must_be_of_a_log_in_that_was_begun(token: str) -> None:
    answer = ask("auth/mfa", {"mfa_token": token, "code": "123456"})
    assert answer.status_code in {401, 422}


@pytest.mark.usefixtures("secret")
def test_the_token_of_a_log_in_that_was_begun_opens_nothing_else(asha: User) -> None:
    token = begun(asha)["mfa_token"]
    assert code_of(ask("me/sessions", token=token)) == "invalid_token"
    client = Client()
    client.cookies["sessionid"] = token
    assert client.get("/").status_code == 302


@pytest.mark.usefixtures("secret")
def test_allauths_own_addresses_ask_for_it_too(asha: User) -> None:
    door = Client().post(
        "/auth/app/v1/auth/login",
        {"email": asha.email, "password": PASSWORD},
        content_type="application/json",
    )
    assert door.status_code == 401
    assert "access_token" not in door.json()["meta"]


def test_pages_ask_for_it(asha: User, secret: str) -> None:
    client = Client()
    answer = client.post("/auth/login/", {"login": asha.email, "password": PASSWORD})
    assert answer.headers["Location"] == "/auth/2fa/authenticate/"
    assert client.get("/").status_code == 302
    page = client.get("/auth/2fa/authenticate/").content.decode()
    assert "Use a passkey" in page
    client.post("/auth/2fa/authenticate/", {"code": code_now(secret)})
    assert client.get("/").status_code == 200


@pytest.mark.usefixtures("secret")
def test_a_reset_of_the_password_does_not_walk_round_it(asha: User) -> None:
    asha.set_password("seven purple elephants dance")
    asha.save()
    client = Client()
    typed = {"login": asha.email, "password": "seven purple elephants dance"}
    assert client.post("/auth/login/", typed).headers["Location"] == "/auth/2fa/authenticate/"


def test_an_authenticator_app_is_set_up_on_the_pages_and_its_secret_sealed(asha: User) -> None:
    client = Client()
    client.post("/auth/login/", {"login": asha.email, "password": PASSWORD})
    assert client.get("/auth/2fa/totp/activate/").headers["Location"].startswith(AGAIN)
    client.post(AGAIN, {"password": PASSWORD})
    page = client.get("/auth/2fa/totp/activate/").content.decode()
    found = re.search(r'id="authenticator_secret"[^>]*value="([A-Z2-7]+)"', page)
    assert found
    assert "<svg" in page
    client.post("/auth/2fa/totp/activate/", {"code": code_now(found[1])})
    app = Authenticator.objects.get(user=asha, type="totp")
    assert found[1] not in str(app.data)
    assert Authenticator.objects.filter(user=asha, type="recovery_codes").exists()
    assert client.get("/auth/2fa/").status_code == 200
    assert client.get("/auth/2fa/recovery-codes/").status_code == 200


def test_is_not_removed_by_the_password_alone(asha: User, secret: str) -> None:
    client = Client()
    client.post("/auth/login/", {"login": asha.email, "password": PASSWORD})
    client.post("/auth/2fa/authenticate/", {"code": code_now(secret)})
    by_code = "/auth/2fa/reauthenticate/"
    for asked in (client.post("/auth/2fa/totp/deactivate/"), client.get(AGAIN)):
        assert asked.headers["Location"].startswith(by_code)
    client.post(AGAIN, {"password": PASSWORD})
    client.post("/auth/2fa/totp/deactivate/")
    assert Authenticator.objects.filter(user=asha, type="totp").exists()
    forget_used_codes()
    client.post(by_code, {"code": code_now(secret)})
    client.post("/auth/2fa/totp/deactivate/")
    assert not Authenticator.objects.filter(user=asha).exists()


def test_is_not_removed_by_the_password_alone_in_programs(asha: User, secret: str) -> None:
    door = Client().post
    begun = door("/auth/app/v1/auth/login", {"email": asha.email, "password": PASSWORD}, JSON)
    names = {"X-Session-Token": begun.json()["meta"]["session_token"]}
    asked = door(
        "/auth/app/v1/auth/2fa/authenticate", {"code": code_now(secret)}, JSON, headers=names
    )
    names = {"X-Session-Token": asked.json()["meta"]["session_token"]}
    again = door("/auth/app/v1/auth/reauthenticate", {"password": PASSWORD}, JSON, headers=names)
    assert again.status_code == 400
    address = "/auth/app/v1/account/authenticators/totp"
    assert Client().delete(address, headers=names).status_code == 401
    forget_used_codes()
    door("/auth/app/v1/auth/2fa/reauthenticate", {"code": code_now(secret)}, JSON, headers=names)
    assert Client().delete(address, headers=names).status_code == 200


@pytest.mark.parametrize(
    "address", ["", "reauthenticate/", "webauthn/", "webauthn/add/", "recovery-codes/generate/"]
)
def test_its_pages_look_like_the_bank(asha: User, secret: str, address: str) -> None:
    client = Client()
    client.post("/auth/login/", {"login": asha.email, "password": PASSWORD})
    client.post("/auth/2fa/authenticate/", {"code": code_now(secret)})
    forget_used_codes()
    client.post("/auth/2fa/reauthenticate/", {"code": code_now(secret)})
    answer = client.get(f"/auth/2fa/{address}")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert '<html lang="en' in page
    assert "<main" in page
    assert "/static/bank.css" in page
    assert not re.search(r"style=| on\w+=", page)
