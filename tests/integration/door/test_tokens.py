"""Tokens of programs: how they are got, how they go on, and how they end."""

from datetime import timedelta

import jwt
import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.test import Client

from accounts.callers import forget_standing
from accounts.known import forget_all
from accounts.models import Session, User
from accounts.open_sessions import end_session
from accounts.tokens import InvalidToken, refresh_tokens, signing_key, tokens_of
from core import clock
from tests.expectations import statements_counted
from tests.factories import person
from tests.integration.door.conftest import PASSWORD, ask, code_of, log_in, set_active, tokens

pytestmark = pytest.mark.django_db


def test_a_program_logs_in_and_asks_without_a_cookie(asha: User) -> None:
    answer = log_in(asha)
    assert not answer.cookies
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.json()["expires_in"] == 300
    assert ask("me/sessions", token=answer.json()["access_token"]).status_code == 200


def test_says_the_same_of_a_wrong_password_and_of_a_stranger(asha: User) -> None:
    wrong = log_in(asha, "wrong")
    stranger = ask("auth/login", {"email": "no@example.org", "password": "wrong"})
    assert code_of(wrong) == code_of(stranger) == "wrong_credentials"
    assert wrong.json()["detail"] == stranger.json()["detail"]


@pytest.mark.parametrize("password", ["", "\x00", "\ud800", "x" * 10_000])
def test_no_password_breaks_the_door(asha: User, password: str) -> None:
    assert log_in(asha, password).status_code in {401, 422}
    body = {"email": asha.email, "password": password}
    door = Client().post("/auth/app/v1/auth/login", body, content_type="application/json")
    assert door.status_code == 400


def test_nobody_chooses_half_a_character_for_a_password() -> None:
    body = {"email": "new@example.org", "password": "\ud800" * 20, "full_name": "New Person"}
    door = Client().post("/auth/app/v1/auth/signup", body, content_type="application/json")
    assert door.status_code == 400
    assert not User.objects.exists()


def test_nobody_gets_in_before_their_address_is_verified() -> None:
    user = person()
    EmailAddress.objects.create(user=user, email=user.email, verified=False, primary=True)
    assert code_of(log_in(user), 403) == "email_not_verified"


def test_nobody_gets_in_who_is_suspended(asha: User) -> None:
    set_active(asha, is_active=False)
    assert code_of(log_in(asha), 403) == "not_active"
    assert code_of(log_in(asha, "wrong")) == "wrong_credentials"


def test_a_refresh_token_is_good_once_and_its_return_ends_the_session(asha: User) -> None:
    first = tokens(asha)
    second = ask("auth/refresh", {"refresh_token": first["refresh_token"]}).json()
    assert ask("me/sessions", token=second["access_token"]).status_code == 200
    again = ask("auth/refresh", {"refresh_token": first["refresh_token"]})
    assert code_of(again) == "refresh_token_reused"
    for token in (first["access_token"], second["access_token"]):
        assert code_of(ask("me/sessions", token=token)) == "invalid_token"
    successor = ask("auth/refresh", {"refresh_token": second["refresh_token"]})
    assert code_of(successor) == "invalid_token"


def test_logging_out_ends_the_session_and_no_other(asha: User) -> None:
    mine, other = tokens(asha), tokens(asha)
    assert ask("auth/logout", {}, token=mine["access_token"]).status_code == 204
    assert code_of(ask("me/sessions", token=mine["access_token"])) == "invalid_token"
    refresh = ask("auth/refresh", {"refresh_token": mine["refresh_token"]})
    assert code_of(refresh) == "invalid_token"
    assert ask("me/sessions", token=other["access_token"]).status_code == 200


def test_a_suspended_person_is_refused_and_let_in_again(asha: User) -> None:
    token = tokens(asha)["access_token"]
    for is_active, status in ((False, 401), (True, 200)):
        set_active(asha, is_active=is_active)
        assert ask("me/sessions", token=token).status_code == status


def test_another_password_ends_all_tokens(asha: User) -> None:
    before = tokens(asha)
    # As at the change of a password, but for the request.
    asha.set_password("seven purple elephants dance")
    asha.save()
    forget_standing(asha.pk)
    assert code_of(ask("me/sessions", token=before["access_token"])) == "invalid_token"
    refresh = ask("auth/refresh", {"refresh_token": before["refresh_token"]})
    assert code_of(refresh) == "invalid_token"


def test_a_change_of_the_password_ends_the_other_sessions(asha: User) -> None:
    other = tokens(asha)["access_token"]
    client = Client()
    client.post("/auth/login/", {"login": asha.email, "password": PASSWORD})
    typed = {
        "oldpassword": PASSWORD,
        "password1": "seven purple elephants dance",
        "password2": "seven purple elephants dance",
    }
    client.post("/auth/password/change/", typed)
    assert code_of(ask("me/sessions", token=other)) == "invalid_token"
    assert client.get("/").status_code == 200
    (going_on,) = Session.objects.filter(person=asha, ended_at=None)
    assert going_on.session_key == client.session.session_key


def test_knowing_a_caller_takes_no_statement(asha: User, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tokens(asha)["access_token"]
    ask("me/sessions", token=token)
    forget_all()
    with statements_counted(monkeypatch) as sent:
        ask("me/sessions", token=token)
    assert len(sent) == 1, "the list of sessions itself"


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": clock.now() - timedelta(seconds=1)},
        {"sid": "5f6f1f0e-8f5a-4c68-9a53-0d0a8d6d0c11"},
        {"sid": "\x00"},
        {"sub": "2"},
        {"sub": "x"},
        {"epoch": "0" * 16},
        {"epoch": 7},
    ],
)
def test_a_token_must_be_whole_and_name_what_is_so(asha: User, changes: dict[str, object]) -> None:
    claims = jwt.decode(tokens(asha)["access_token"], options={"verify_signature": False})
    key = signing_key(settings.SECRET_KEY)
    forged = jwt.encode({**claims, **changes}, key, algorithm="HS256")
    assert code_of(ask("me/sessions", token=forged)) == "invalid_token"
    assert ask("me/sessions", token=jwt.encode(claims, key, algorithm="HS256")).status_code == 200
    unsigned = jwt.encode(claims, "", algorithm="none")
    assert code_of(ask("me/sessions", token=unsigned)) == "invalid_token"


@pytest.mark.parametrize(
    "text",
    ["x", "\u0000", "ä", signing.dumps(["x"], salt="refresh token"), signing.dumps("x")],
    ids=["letter", "NUL", "not ASCII", "ours of another shape", "ours of another purpose"],
)
def test_a_refresh_token_must_be_ours(text: str) -> None:
    answer = ask("auth/refresh", {"refresh_token": text})
    assert answer.status_code in {401, 422}


def test_of_many_refreshes_with_one_token_one_succeeds(asha: User) -> None:
    refresh = tokens(asha)["refresh_token"]
    answers = [ask("auth/refresh", {"refresh_token": refresh}).status_code for _ in range(5)]
    assert answers == [200, 401, 401, 401, 401]


def test_a_session_ends_after_a_working_day_with_all_its_tokens(asha: User) -> None:
    tokens(asha)
    session = Session.objects.select_related("person").get(person=asha)
    later = session.expires_at - timedelta(seconds=30)
    made = tokens_of(session, now=later)
    claims = jwt.decode(made.access, options={"verify_signature": False})
    assert claims["exp"] == int(session.expires_at.timestamp())
    with pytest.raises(InvalidToken):
        refresh_tokens(made.refresh, now=session.expires_at)


def test_allauths_own_addresses_give_the_same_tokens(asha: User) -> None:
    door = Client().post(
        "/auth/app/v1/auth/login",
        {"email": asha.email, "password": PASSWORD},
        content_type="application/json",
    )
    meta = door.json()["meta"]
    assert ask("me/sessions", token=meta["access_token"]).status_code == 200
    assert ask("auth/refresh", {"refresh_token": meta["refresh_token"]}).status_code == 200


class TestSessions:
    def test_are_shown_with_device_and_address_and_ended(self, asha: User) -> None:
        mine, other = tokens(asha), tokens(asha)
        shown = ask("me/sessions", token=mine["access_token"]).json()["sessions"]
        assert [one["is_current"] for one in shown] == [False, True]
        assert shown[0]["address"] == "127.0.0.1"
        assert shown[0]["kind"] == "program"
        ended = ask(f"me/sessions/{shown[0]['id']}", token=mine["access_token"], method="DELETE")
        assert ended.status_code == 204
        assert code_of(ask("me/sessions", token=other["access_token"])) == "invalid_token"
        again = ask(f"me/sessions/{shown[0]['id']}", token=mine["access_token"], method="DELETE")
        assert code_of(again, 404) == "unknown_session"

    def test_of_others_are_unknown(self, asha: User) -> None:
        token = tokens(asha)["access_token"]
        stranger = person()
        session = Session.objects.create(
            person=stranger,
            kind="program",
            session_key="x" * 32,
            device="x",
            expires_at=clock.now() + timedelta(hours=1),
        )
        answer = ask(f"me/sessions/{session.pk}", token=token, method="DELETE")
        assert code_of(answer, 404) == "unknown_session"
        end_session(stranger.pk, session=session.pk)

    def test_of_browsers_end_at_once(self, asha: User) -> None:
        client = Client()
        client.post("/auth/login/", {"login": asha.email, "password": PASSWORD})
        assert client.get("/").status_code == 200
        (session,) = Session.objects.filter(person=asha, kind="browser")
        end_session(asha.pk, session=session.pk)
        assert client.get("/").status_code == 302
