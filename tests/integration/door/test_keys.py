"""API keys: made once shown, with a few rights, and revoked at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client, RequestFactory, TestCase
from rest_framework.request import Request

from accounts.approvals import approve
from accounts.authentication import TokenAuthentication
from accounts.callers import forget_standing
from accounts.keys import KeyRequest, keys, make_key
from accounts.known import forget_all
from accounts.models import ApiKey, User
from accounts.roles import ask_role
from accounts.standing import epoch_of
from accounts.tokens import InvalidToken
from core import clock
from tests.codes import mailed_code
from tests.expectations import statements_counted
from tests.factories import person
from tests.integration.door.conftest import (
    PASSWORD,
    ask,
    code_of,
    set_active,
    tokens,
)

pytestmark = pytest.mark.django_db

BODY: dict[str, Any] = {
    "name": "Bookkeeping",
    "scopes": ["accounts:read"],
    "largest_transfer": "5000.00",
}


@pytest.fixture
def token(asha: User) -> str:
    """Give an access token of the customer."""
    return str(tokens(asha)["access_token"])


def make(token: str, body: object = None, **headers: str) -> Any:
    """Ask for an API key."""
    return ask("me/keys", body or BODY, token=token, **headers)


def made(token: str, body: object = None) -> Any:
    """Make an API key with the code of the mail, and return what is shown of it."""
    question = make(token, body)
    assert code_of(question, 403) == "step_up_required"
    headers = {
        "Step-Up-Challenge": question.json()["challenge"],
        "Step-Up-Code": mailed_code(),
    }
    answer = make(token, body, **headers)
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_is_made_with_a_code_and_shown_once(token: str) -> None:
    shown = made(token)
    assert shown["key"].startswith(shown["prefix"] + "_")
    assert len(shown["key"].split("_", 2)[2]) == 43, "256 bits"
    assert shown["largest_transfer"] == "5000.00"
    kept = ApiKey.objects.get()
    assert shown["key"] not in {kept.digest, kept.prefix, kept.name}
    (listed,) = ask("me/keys", token=token).json()["keys"]
    assert "key" not in listed
    assert listed["prefix"] == shown["prefix"]


def test_lets_in_where_its_scopes_say_and_nowhere_else(token: str) -> None:
    key = made(token)["key"]
    assert ask("accounts", token=key).status_code == 200
    assert code_of(ask("me/sessions", token=key), 403) == "insufficient_scope"
    assert code_of(ask("me/keys", BODY, token=key), 403) == "insufficient_scope"
    assert code_of(ask("auth/logout", {}, token=key), 403) == "insufficient_scope"


def test_is_worth_nothing_once_revoked(token: str) -> None:
    shown = made(token)
    assert ask("accounts", token=shown["key"]).status_code == 200
    gone = ask(f"me/keys/{shown['id']}", token=token, method="DELETE")
    assert gone.status_code == 204
    assert code_of(ask("accounts", token=shown["key"])) == "invalid_token"
    again = ask(f"me/keys/{shown['id']}", token=token, method="DELETE")
    assert code_of(again, 404) == "unknown_key"


def test_ends_by_itself(token: str) -> None:
    key = made(token, {**BODY, "expires_in_days": 1})["key"]
    ApiKey.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    keys.tell(key.rpartition("_")[0][:15])
    assert code_of(ask("accounts", token=key)) == "invalid_token"


def test_ends_with_its_owner(asha: User, token: str) -> None:
    key = made(token)["key"]
    set_active(asha, is_active=False)
    assert code_of(ask("accounts", token=key)) == "invalid_token"


def test_its_owner_is_told_of_it_by_mail(asha: User, token: str) -> None:
    shown = made(token)
    told = mail.outbox[-1]
    assert (told.subject, told.to) == ("An API key was made", [asha.email])
    assert shown["prefix"] in told.body
    assert shown["key"] not in told.body


def test_has_no_scopes_that_its_owners_role_may_not_have(token: str) -> None:
    answer = make(token, {**BODY, "scopes": ["accounts:read", "admin:write"]})
    assert code_of(answer, 422) == "scope_not_for_role"
    assert answer.json()["errors"][0]["pointer"] == "/scopes"
    assert not mail.outbox


def test_is_worth_no_more_than_its_owners_role(asha: User, token: str) -> None:
    key = made(token)["key"]
    ApiKey.objects.update(scopes=["accounts:read", "holds:write", "admin:read"])
    keys.tell(ApiKey.objects.get().prefix)
    for role, scopes in (
        ("customer", {"accounts:read", "holds:write"}),
        ("employee", {"accounts:read", "admin:read"}),
    ):
        User.objects.filter(pk=asha.pk).update(role=role)
        forget_standing(asha.pk)
        request = Request(RequestFactory().get("/", headers={"Authorization": f"Bearer {key}"}))
        known = TokenAuthentication().authenticate(request)
        assert known
        assert sorted(known[0].scopes or ()) == sorted(scopes)


def test_ends_with_its_owners_role(asha: User, token: str) -> None:
    key = made(token)["key"]
    assert ask("accounts", token=key).status_code == 200
    chiefs = [person(role="admin", is_staff=True, is_superuser=True) for _ in range(2)]
    asked = ask_role(asha, role="employee", maker=chiefs[0], reason="begins on Monday")
    with TestCase.captureOnCommitCallbacks(execute=True):
        approve(asked.pk, checker=chiefs[1].pk)
    assert code_of(ask("accounts", token=key)) == "invalid_token"
    assert ApiKey.objects.get().revoked_at


def test_ends_with_its_owners_password(asha: User, token: str) -> None:
    key = made(token)["key"]
    assert ask("accounts", token=key).status_code == 200
    client = Client()
    client.post("/auth/login/", {"login": asha.email, "password": PASSWORD})
    new = "seven purple elephants dance"
    typed = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    with TestCase.captureOnCommitCallbacks(execute=True):
        client.post("/auth/password/change/", typed)
    assert code_of(ask("accounts", token=key)) == "invalid_token"


@pytest.mark.parametrize("change", ["password", "status"])
def test_is_not_made_for_who_was_let_in_before_a_change(asha: User, change: str) -> None:
    now, epoch = clock.now(), epoch_of(asha)
    asked = KeyRequest(
        name="x",
        scopes=frozenset({"accounts:read"}),
        largest_transfer=None,
        expires_at=now + timedelta(days=1),
    )
    make_key(asha.pk, asked, epoch=epoch, now=now)
    if change == "password":
        asha.set_password("seven purple elephants dance")
        asha.save()
    else:
        set_active(asha, is_active=False)
    with pytest.raises(InvalidToken):
        make_key(asha.pk, asked, epoch=epoch, now=now)
    assert ApiKey.objects.count() == 1


def test_its_use_is_noted_to_the_hour_without_a_statement_each_time(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = made(token)["key"]
    ask("accounts", token=key)
    assert ApiKey.objects.get().last_used_at
    with statements_counted(monkeypatch) as usual:
        ask("accounts", token=token)
    forget_all()
    with statements_counted(monkeypatch) as by_key:
        ask("accounts", token=key)
    assert len(by_key) == len(usual)


@pytest.mark.parametrize(
    "change",
    [
        lambda key: key[:-1],
        lambda key: key + "x",
        lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"),
        lambda key: "bank_aaaaaaaaaa" + key[15:],
        lambda _key: "bank_",
        lambda _key: "bank_" + "x" * 5_000,
    ],
)
def test_must_be_whole(token: str, change: Any) -> None:
    key = made(token)["key"]
    assert code_of(ask("accounts", token=change(key))) == "invalid_token"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "x" * 61},
        {"name": "Ev\u202eil"},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": "accounts:read"},
        {"largest_transfer": "1e3"},
        {"largest_transfer": "-1"},
        {"expires_in_days": 0},
        {"expires_in_days": 367},
        {"expires_in_days": "7"},
        {"person": 1},
    ],
)
def test_is_refused_without_a_code_being_sent(token: str, changes: dict[str, object]) -> None:
    answer = make(token, {**BODY, **changes})
    assert answer.status_code == 422, answer.content
    assert answer.json()["errors"][0]["pointer"].startswith(f"/{next(iter(changes))}")
    assert not mail.outbox
    assert not ApiKey.objects.exists()


def test_of_others_are_unknown(token: str) -> None:
    key = ApiKey.objects.create(
        person=person(),
        name="x",
        prefix="bank_x",
        digest="x",
        scopes=[],
        expires_at=clock.now() + timedelta(days=1),
    )
    answer = ask(f"me/keys/{key.pk}", token=token, method="DELETE")
    assert code_of(answer, 404) == "unknown_key"
