"""The history of log-ins, for people and for admins, and the pages about it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.test import Client

from accounts.devices import device_of
from accounts.models import LogIn, Role, Session, User
from accounts.tasks import forget_sessions
from core import clock
from tests.codes import mailed_code
from tests.factories import person
from tests.integration.door.conftest import (
    PASSWORD,
    ask,
    code_of,
    log_in,
    tokens,
    verified,
)

pytestmark = pytest.mark.django_db


def test_tells_people_who_logged_in_as_them(asha: User) -> None:
    log_in(asha, "wrong")
    token = tokens(asha)["access_token"]
    page = ask("me/logins?limit=1", token=token).json()
    assert [one["result"] for one in page["log_ins"]] == ["succeeded"]
    assert page["log_ins"][0]["address"] == "127.0.0.1"
    older = ask(f"me/logins?limit=1&cursor={page['next_cursor']}", token=token).json()
    assert [one["result"] for one in older["log_ins"]] == ["wrong_password"]
    assert not older["has_more"]


def test_keeps_no_address_that_nobody_has() -> None:
    ask("auth/login", {"email": "nobody@example.org", "password": "wrong"})
    kept = LogIn.objects.get()
    assert kept.person is None
    assert "nobody" not in str(vars(kept))


def test_is_only_added_to(asha: User) -> None:
    log_in(asha)
    for statement in ("DELETE FROM accounts_login", "UPDATE accounts_login SET device = ''"):
        with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_counts_months_for_admins_with_the_permission(asha: User) -> None:
    log_in(asha, "wrong")
    tokens(asha)
    tokens(asha)
    admin = verified(person(role=Role.ADMIN, is_staff=True))
    token = tokens(admin)["access_token"]
    assert code_of(ask("admin/login-statistics", token=token), 403) == "forbidden"
    admin.user_permissions.add(Permission.objects.get(codename="view_login"))
    (month,) = ask("admin/login-statistics", token=token).json()["months"]
    assert (month["log_ins"], month["failures"], month["people"]) == (3, 1, 2)
    customer = tokens(asha)["access_token"]
    assert code_of(ask("admin/login-statistics", token=customer), 403) == "forbidden"


def test_what_is_long_over_is_forgotten_but_the_history_is_not(asha: User) -> None:
    token = tokens(asha)["access_token"]
    tokens(asha)
    (gone, _stays) = Session.objects.filter(person=asha).order_by("-began_at")
    Session.objects.filter(pk=gone.pk).update(expires_at=clock.now() - timedelta(days=31))
    forget_sessions()
    assert Session.objects.filter(person=asha).count() == 1
    assert LogIn.objects.filter(person=asha).count() == 2
    assert ask("me/sessions", token=token).status_code == 200


@pytest.mark.parametrize("months", ["0", "61", "x", "-1", "1.5", "\u0661"])
def test_counts_a_sensible_number_of_months(months: str) -> None:
    admin = verified(person(role=Role.ADMIN, is_superuser=True))
    token = tokens(admin)["access_token"]
    assert ask(f"admin/login-statistics?months={months}", token=token).status_code == 422


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
            "Firefox on Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/129.0 Safari/537.36 Edg/129.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "Unknown device"),
        ("\x1b[31mred", "[31mred"),
        ("x" * 500, "x" * 80),
    ],
)
def test_names_devices_shortly(agent: str, name: str) -> None:
    assert device_of(agent) == name


class TestThePage:
    @pytest.fixture
    def pages(self, asha: User) -> Client:
        """Give a browser that the customer is logged in with."""
        client = Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/130.0"})
        client.post("/auth/login/", {"login": asha.email, "password": PASSWORD})
        return client

    def test_shows_sessions_and_log_ins_and_ends_a_session(self, pages: Client, asha: User) -> None:
        other = tokens(asha)["access_token"]
        page = pages.get("/security/").content.decode()
        assert "Firefox on Linux" in page
        assert "this one" in page
        assert "Logged in" in page
        (ended,) = asha.sessions.filter(kind="program")
        pages.post(f"/security/sessions/{ended.pk}/end/")
        assert code_of(ask("me/sessions", token=other)) == "invalid_token"

    def test_makes_a_key_with_a_code_and_revokes_it(self, pages: Client) -> None:
        typed = {"name": "Books", "scopes": ["accounts:read"], "life": "90"}
        question = pages.post("/security/keys/new/", typed)
        challenge = question.context["code_field"].challenge
        wrong = {**typed, "step_up_challenge": challenge, "step_up_code": "x"}
        assert "This is not the code" in pages.post("/security/keys/new/", wrong).content.decode()
        right = {**wrong, "step_up_code": mailed_code()}
        key = pages.post("/security/keys/new/", right).context["text"]
        assert ask("accounts", token=key).status_code == 200
        (shown,) = pages.get("/security/").context["keys"]
        pages.post(f"/security/keys/{shown.pk}/revoke/")
        assert code_of(ask("accounts", token=key)) == "invalid_token"

    @pytest.mark.parametrize(
        "changes", [{"name": ""}, {"scopes": ["x"]}, {"life": "1"}, {"largest_transfer": "x"}]
    )
    def test_refuses_what_is_no_key(self, pages: Client, changes: dict[str, object]) -> None:
        typed = {"name": "Books", "scopes": ["accounts:read"], "life": "90", **changes}
        answer = pages.post("/security/keys/new/", typed)
        assert answer.status_code == 422
        assert "There is a problem" in answer.content.decode()
