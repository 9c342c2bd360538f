"""What is changed of what lets people in: who did it, when, from where, and no secret with it."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.test import Client

from accounts.audit import acting
from accounts.keys import KeyRequest, make_key
from accounts.known import forget_all, tell_untold
from accounts.models import CredentialChange, User
from accounts.standing import epoch_of
from core import clock
from tests.codes import with_code
from tests.factories import person
from tests.integration.door.conftest import PASSWORD, ask, code_of, tokens, verified

pytestmark = pytest.mark.django_db

NEW = "seven purple elephants dance"
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/130.0"}
JSON = "application/json"


def logged_in(user: User) -> Client:
    """Return a browser that somebody is logged in with."""
    client = Client(headers=FIREFOX)
    client.post("/auth/login/", {"login": user.email, "password": PASSWORD})
    return client


def changes(user: User) -> list[str]:
    """Return what was changed of a person's, oldest first."""
    return [one.what for one in user.credential_changes.order_by("pk")]


class TestAChange:
    def test_of_the_password_says_who_when_and_from_where(self, asha: User) -> None:
        typed = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
        pages = logged_in(asha)
        pages.post("/auth/password/change/", typed)
        (change,) = asha.credential_changes.all()
        assert (change.what, change.by, change.detail) == ("password_changed", asha, "")
        assert (change.address, change.device) == ("127.0.0.1", "Firefox on Linux")
        assert change.credential.startswith("session:")
        page = pages.get("/security/").content.decode()
        assert "Password changed" in page
        assert "by you" in page
        asha.refresh_from_db()
        assert asha.password not in str(list(asha.credential_changes.values()))

    def test_by_a_program_is_of_who_holds_its_session_not_of_a_cookie(self, asha: User) -> None:
        stranger = logged_in(verified(person()))
        body = {"email": asha.email, "password": PASSWORD}
        begun: Any = Client().post("/auth/app/v1/auth/login", body, JSON)
        stranger.post(
            "/auth/app/v1/account/password/change",
            {"current_password": PASSWORD, "new_password": NEW},
            JSON,
            headers={"X-Session-Token": begun.json()["meta"]["session_token"]},
        )
        (change,) = asha.credential_changes.all()
        assert (change.what, change.by) == ("password_changed", asha)

    def test_by_an_admin_does_not_show_its_owner_where_the_admin_was(self, asha: User) -> None:
        chief = person(full_name="Vivek Menon", role="admin", is_staff=True)
        with acting(by=chief.pk, credential="session:1", address="2001:db8::7", device="Lynx"):
            TOTP.activate(asha, generate_totp_secret())
            Authenticator.objects.filter(user=asha).delete()
        page = logged_in(asha).get("/security/").content.decode()
        assert "Vivek Menon" in page
        assert "2001:db8::7" not in page
        assert "Lynx" not in page

    def test_by_nobody_who_is_logged_in_is_of_nobody(self, asha: User) -> None:
        asha.set_password(NEW)
        asha.save()
        assert asha.credential_changes.get().by is None

    def test_of_second_factors_holds_no_secret(self, asha: User) -> None:
        with acting(by=asha.pk, credential="session:1", address="2001:db8::1", device="x"):
            TOTP.activate(asha, generate_totp_secret())
            Authenticator.objects.filter(user=asha).delete()
        assert changes(asha) == ["totp_added", "totp_removed"]
        kept = asha.credential_changes.values_list("detail", "address")
        assert set(kept) == {("", "2001:db8::1")}

    def test_of_api_keys_names_their_beginning(self, asha: User) -> None:
        token = tokens(asha)["access_token"]
        body = {"name": "Books", "scopes": ["accounts:read"]}
        question = ask("me/keys", body, token=token).json()
        made = ask("me/keys", body, token=token, **with_code(question)).json()
        ask(f"me/keys/{made['id']}", token=token, method="DELETE")
        assert changes(asha) == ["key_made", "key_revoked"]
        for change in asha.credential_changes.all():
            assert (change.detail, change.by) == (made["prefix"], asha)
            assert (change.address, change.credential[:6]) == ("127.0.0.1", "token:")

    def test_of_the_address_names_it(self, asha: User) -> None:
        other = EmailAddress.objects.create(user=asha, email="other@example.org")
        User.objects.filter(pk=asha.pk).update(email="other@example.org")
        other.delete()
        assert changes(asha) == ["email_added", "email_changed", "email_removed"]
        details = set(asha.credential_changes.values_list("detail", flat=True))
        assert details == {"other@example.org"}

    def test_in_place_is_noted_as_what_it_is(self, asha: User) -> None:
        stranger = verified(person())
        RecoveryCodes.activate(asha)
        codes = Authenticator.objects.filter(user=asha)
        used = {**codes.get().data, "used_mask": 5}
        codes.update(data=used, last_used_at=clock.now())
        assert changes(asha) == ["recovery_codes_added"]
        codes.update(data={**used, "used_mask": 1})
        codes.update(data={**used, "seed": "another"})
        codes.update(user=stranger)
        EmailAddress.objects.filter(user=asha).update(email="in@place.example")
        EmailAddress.objects.filter(user=asha).update(user=person(), primary=False)
        assert changes(asha)[1:] == [
            "recovery_codes_changed",
            "recovery_codes_changed",
            "recovery_codes_removed",
            "email_changed",
            "email_removed",
        ]
        assert changes(stranger) == ["recovery_codes_added"]

    def test_of_a_key_that_is_let_in_again_is_no_revocation(self, asha: User) -> None:
        asked = KeyRequest(
            name="Books",
            scopes=frozenset({"accounts:read"}),
            largest_transfer=None,
            expires_at=clock.now() + timedelta(days=1),
        )
        make_key(asha.pk, asked, epoch=epoch_of(asha), now=clock.now())
        key = asha.api_keys.all()
        key.update(last_used_at=clock.now(), name="Ledger")
        assert changes(asha) == ["key_made"]
        key.update(revoked_at=clock.now())
        key.update(revoked_at=None)
        key.update(scopes=["accounts:read", "transfers:write"])
        assert changes(asha)[1:] == ["key_revoked", "key_restored", "key_changed"]

    def test_is_written_by_the_database_alone(self, asha: User) -> None:
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            CredentialChange.objects.create(person=asha, what="key_made")
        with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT accounts_note_credential()")

    def test_is_shown_to_admins_and_the_look_noted(self, asha: User) -> None:
        TOTP.activate(asha, generate_totp_secret())
        chief = Client()
        chief.force_login(person(role="admin", is_staff=True, is_superuser=True))
        page = chief.get("/admin/accounts/credentialchange/").content.decode()
        assert "authenticator app set up" in page
        assert [look.what for look in asha.viewings.all()] == ["changes of access"]


class TestStaffWhoNeedASecondFactor:
    @pytest.fixture(autouse=True)
    def _needed(self, settings: Any) -> None:
        """Be a bank whose staff must have one."""
        settings.STAFF_NEED_SECOND_FACTOR = True

    @pytest.fixture(params=["employee", "admin"])
    def meera(self, request: pytest.FixtureRequest) -> User:
        """Give somebody who works for the bank."""
        return verified(person(role=request.param, is_staff=request.param == "admin"))

    def test_do_nothing_before_they_have_one(self, meera: User) -> None:
        pages, token = logged_in(meera), tokens(meera)["access_token"]
        for address in ("/", "/staff/operations/", "/admin/", "/profile/"):
            assert pages.get(address).headers["Location"] == "/auth/2fa/"
        assert "to go on" in pages.get("/auth/2fa/").content.decode()
        assert code_of(ask("me", token=token), 403) == "second_factor_needed"
        assert pages.get("/api/v1/me").status_code == 403

    def test_go_on_once_they_have_one_and_not_without(self, meera: User) -> None:
        pages, token = logged_in(meera), tokens(meera)["access_token"]
        assert pages.get("/profile/").status_code == 302
        for is_set_up in (True, False):
            if is_set_up:
                TOTP.activate(meera, generate_totp_secret())
            else:
                Authenticator.objects.filter(user=meera).delete()
            tell_untold()
            forget_all()
            assert pages.get("/profile/").status_code == (200 if is_set_up else 302)
            assert ask("me", token=token).status_code == (200 if is_set_up else 403)

    def test_are_not_customers(self, asha: User) -> None:
        assert logged_in(asha).get("/profile/").status_code == 200
        assert ask("me", token=tokens(asha)["access_token"]).status_code == 200


def test_staff_of_a_demo_work_by_password() -> None:
    meera = verified(person(role="employee"))
    assert logged_in(meera).get("/profile/").status_code == 200
