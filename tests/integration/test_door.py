"""The log-in door: one for pages, admin and API."""

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import Role, User
from tests.factories import person

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"
NEW_PASSWORD = "seven purple elephants dance"
LINK = re.compile(r'href="http://testserver(/auth/[^"]+)"')


@pytest.fixture(autouse=True)
def demo(settings: Settings, tmp_path: Path) -> None:
    """Be a demo whose mails can be read, and know of no earlier attempts."""
    settings.BANK_DEMO = True
    settings.OUTBOX = tmp_path / "outbox"
    settings.EMAIL_BACKEND = "notifications.channels.files.EmailBackend"
    settings.MAIL = {}
    # The other workers of the tests count their attempts in the same server.
    settings.CACHES = {"default": {**settings.CACHES["default"], "KEY_PREFIX": str(uuid4())}}


@pytest.fixture
def asha() -> User:
    """Give a customer whose e-mail address is verified."""
    user = person()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def log_in(client: Client, user: User, password: str = PASSWORD) -> Any:
    """Log in at the door."""
    return client.post("/auth/login/", {"login": user.email, "password": password})


def test_lets_in_with_a_new_session_and_out_by_post_alone(client: Client, asha: User) -> None:
    client.get("/auth/login/")
    client.session["seen"] = True
    before = client.session.session_key
    assert log_in(client, asha).headers["Location"] == "/"
    assert client.session.session_key != before
    assert client.cookies["sessionid"]["httponly"]
    client.get("/auth/logout/")
    assert client.get("/").status_code == 200
    client.post("/auth/logout/")
    assert client.get("/").status_code == 302


def test_says_the_same_of_a_wrong_password_and_of_a_stranger(client: Client, asha: User) -> None:
    wrong = log_in(client, asha, "wrong")
    stranger = client.post("/auth/login/", {"login": "no@example.org", "password": "wrong"})
    said = [
        re.findall(r'<div class="summary".*?</div>', answer.content.decode(), re.DOTALL)
        for answer in (wrong, stranger)
    ]
    assert said[0]
    assert said[0] == said[1]


def test_closes_for_a_while_after_five_wrong_passwords(client: Client, asha: User) -> None:
    for _ in range(5):
        log_in(client, asha, "wrong")
    answer = log_in(client, asha)
    assert "Too many failed login attempts" in answer.content.decode()
    assert client.get("/").status_code == 302


def test_keeps_passwords_as_argon2(asha: User) -> None:
    assert asha.password.startswith("argon2$argon2id$")


def test_lets_nobody_in_before_their_address_is_verified(client: Client) -> None:
    typed = {"email": "new@example.org", "full_name": "New Person", "password1": NEW_PASSWORD}
    client.post("/auth/signup/", typed)
    user = User.objects.get(email="new@example.org")
    assert (user.full_name, user.role) == ("New Person", Role.CUSTOMER)
    assert log_in(client, user, NEW_PASSWORD).headers["Location"] == "/auth/confirm-email/"
    assert client.get("/").status_code == 302
    link = LINK.search(client.get("/outbox/").content.decode())
    assert link
    client.post(link[1])
    log_in(client, user, NEW_PASSWORD)
    assert "New Person" in client.get("/").content.decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"password1": "short"},
        {"password1": "passwordpassword1"[:8]},
        {"full_name": "Ev\u202eil"},
        {"full_name": ""},
        {"email": "x"},
    ],
)
def test_takes_no_short_password_and_no_hidden_characters(
    client: Client, changes: dict[str, str]
) -> None:
    typed = {"email": "new@example.org", "full_name": "New Person", "password1": NEW_PASSWORD}
    page = client.post("/auth/signup/", {**typed, **changes}).content.decode()
    assert "There is a problem" in page
    assert not User.objects.exists()


def test_a_forgotten_password_is_reset_from_the_outbox(client: Client, asha: User) -> None:
    client.post("/auth/password/reset/", {"email": asha.email})
    link = LINK.search(client.get("/outbox/").content.decode())
    assert link
    form = client.get(link[1], follow=True)
    typed = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    client.post(form.redirect_chain[-1][0], typed)
    assert log_in(client, asha, NEW_PASSWORD).headers["Location"] == "/"


def test_the_outbox_is_only_in_a_demo(client: Client, settings: Settings) -> None:
    assert client.get("/outbox/").status_code == 200
    settings.BANK_DEMO = False
    assert client.get("/outbox/").status_code == 404


@pytest.mark.parametrize(
    ("address", "status"),
    [("127.0.0.1", 200), ("::1", 200), ("192.0.2.1", 404), ("10.0.0.1", 404), ("nowhere", 404)],
)
@pytest.mark.parametrize("is_by_proxy", [False, True])
def test_the_outbox_is_only_for_the_machine_of_the_bank(
    settings: Settings, address: str, status: int, *, is_by_proxy: bool
) -> None:
    settings.TRUSTED_PROXY_COUNT = int(is_by_proxy)
    # What the client says of itself stands before what a proxy saw.
    said = f"127.0.0.1, {address}" if is_by_proxy else "127.0.0.1"
    seen = "127.0.0.1" if is_by_proxy else address
    client = Client(REMOTE_ADDR=seen, HTTP_X_FORWARDED_FOR=said)
    assert client.get("/outbox/").status_code == status
    links = 'href="/outbox/"' in client.get("/auth/login/").content.decode()
    assert links == (status == 200)


@pytest.mark.parametrize(
    "address",
    ["login/", "signup/", "password/reset/", "password/reset/done/", "confirm-email/", "inactive/"],
)
def test_its_pages_look_like_the_bank(client: Client, address: str) -> None:
    page = client.get(f"/auth/{address}").content.decode()
    assert "/static/bank.css" in page
    assert '<html lang="en' in page
    assert "<main" in page
    assert not re.search(r"style=| on\w+=", page)
    # Scripts are files of ours, or data that nothing runs.
    for script in re.findall(r"<script[^>]*>", page):
        assert 'src="/static/' in script or 'type="application/json"' in script


def test_is_the_admins_door_too(client: Client, asha: User) -> None:
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/auth/login/")
    client.force_login(asha)
    assert client.get("/admin/login/").status_code == 403
    admin = User.objects.create_superuser("admin@example.org", PASSWORD, full_name="Admin")
    client.force_login(admin)
    for address in ("", "accounts/user/", "accounts/account/", f"accounts/user/{asha.pk}/change/"):
        assert client.get(f"/admin/{address}").status_code == 200


def test_links_in_mails_do_not_reach_the_log(
    client: Client, asha: User, capfd: pytest.CaptureFixture[str]
) -> None:
    client.post("/auth/password/reset/", {"email": asha.email})
    link = LINK.search(client.get("/outbox/").content.decode())
    assert link
    client.get(link[1])
    secret = link[1].split("/")[-2]
    logged = capfd.readouterr().err
    assert secret not in logged
    assert "/auth/password/reset/key/…" in logged


def test_an_address_for_codes_is_added_by_who_knows_the_password(
    client: Client, asha: User
) -> None:
    client.force_login(asha)
    typed = {"email": "thief@example.org", "action_add": ""}
    answer = client.post("/auth/email/", typed)
    assert answer.headers["Location"].startswith("/auth/reauthenticate/")
    assert not EmailAddress.objects.filter(email="thief@example.org").exists()
