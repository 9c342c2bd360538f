"""Joining the bank: by oneself, and by an admin."""

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import Account, Branch, Registration, User
from accounts.registering import (
    EmailTaken,
    InvalidEmail,
    NameMissing,
    NotInvited,
    invite,
    register_customer,
)
from accounts.selectors import UnknownBranch
from core.errors import DomainError
from tests.factories import instant, person
from transactions import welcome
from transactions.branches.outcomes import BranchDown
from transactions.welcome import open_waiting_accounts

pytestmark = pytest.mark.django_db

PASSWORD = "seven purple elephants dance"
LINK = re.compile(r"http://\S+?(/auth/\S+?)[\"\s]")
NOW = instant()


@pytest.fixture(autouse=True)
def outbox(settings: Settings, tmp_path: Path) -> Path:
    """Let mails land where the test can read them."""
    settings.OUTBOX = tmp_path / "outbox"
    settings.EMAIL_BACKEND = "notifications.channels.files.EmailBackend"
    settings.CACHES = {"default": {**settings.CACHES["default"], "KEY_PREFIX": str(uuid4())}}
    return tmp_path / "outbox"


@pytest.fixture
def branches() -> dict[str, Branch]:
    """Give two branches without nodes of their own."""
    return {
        code: Branch.objects.create(code=code, number=number, name=name)
        for code, number, name in (("HO", 100, "Head office"), ("PUN", 301, "Pune"))
    }


def link_in(outbox: Path) -> str:
    """Return the path of the link in the newest mail."""
    (*_, newest) = sorted(outbox.iterdir())
    text = newest.read_text(encoding="utf-8").replace("=\n", "").replace("=3D", "=")
    found = LINK.search(text)
    assert found, text
    return found[1]


def sign_up(client: Client, **changes: str) -> Any:
    """Fill in the form."""
    typed = {
        "email": "new@example.org",
        "full_name": "New Person",
        "password1": PASSWORD,
        "branch": "PUN",
    }
    return client.post("/auth/signup/", {**typed, **changes})


def register(branch: str = "PUN", **changes: Any) -> User:
    """Register a customer, by an admin."""
    given = {"email": "new@example.org", "full_name": "New Person", **changes}
    return register_customer(branch=branch, registered_by=person().pk, now=NOW, **given)


class TestWhoSignsUp:
    @pytest.mark.usefixtures("branches")
    def test_gets_a_first_account_at_the_chosen_branch_once_the_address_is_theirs(
        self,
        client: Client,
        outbox: Path,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        sign_up(client)
        asha = User.objects.get(email="new@example.org")
        assert str(asha.number).startswith("301")
        assert not Account.objects.exists()
        with django_capture_on_commit_callbacks(execute=True):
            client.post(link_in(outbox))
        account = Account.objects.get()
        assert (account.product, account.currency, account.branch.code) == ("current", "INR", "PUN")
        assert str(account.number).startswith("301")
        assert list(account.holdings.values_list("user", "rights")) == [(asha.pk, "owner")]
        assert Registration.objects.get().account == account
        client.post("/auth/login/", {"login": asha.email, "password": PASSWORD})
        assert "₹0.00" in client.get("/").content.decode()

    def test_chooses_no_branch_where_there_is_one(self, client: Client) -> None:
        assert 'name="branch"' not in client.get("/auth/signup/").content.decode()
        sign_up(client)
        assert User.objects.get().branch == Branch.objects.get(number=100)

    @pytest.mark.usefixtures("branches")
    def test_chooses_among_all_branches(self, client: Client) -> None:
        page = client.get("/auth/signup/").content.decode()
        assert 'value="PUN"' in page
        assert "There is a problem" in sign_up(client, branch="ATL").content.decode()
        assert not User.objects.exists()

    @pytest.mark.usefixtures("branches")
    def test_gets_the_account_from_the_watch_while_the_branch_is_silent(
        self,
        client: Client,
        outbox: Path,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        def be_silent(_request: object, **_now: object) -> Account:
            raise BranchDown(node="PUN")

        sign_up(client)
        with monkeypatch.context() as patched:
            patched.setattr(welcome, "open_customer_account", be_silent)
            with django_capture_on_commit_callbacks(execute=True):
                client.post(link_in(outbox))
            assert open_waiting_accounts(now=NOW) == 0
        assert open_waiting_accounts(now=NOW) == 1
        assert open_waiting_accounts(now=NOW) == 0
        assert Account.objects.count() == 1

    @pytest.mark.usefixtures("branches")
    def test_gets_no_account_while_suspended(self, client: Client) -> None:
        sign_up(client)
        Registration.objects.update(confirmed_at=NOW)
        User.objects.update(status="suspended", is_active=False)
        assert open_waiting_accounts(now=NOW) == 0
        User.objects.update(status="active", is_active=True)
        assert open_waiting_accounts(now=NOW) == 1

    @pytest.mark.usefixtures("branches")
    def test_gets_one_account_however_often_the_watch_dies(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert monkeypatch
        sign_up(client)
        Registration.objects.update(confirmed_at=NOW)
        open_waiting_accounts(now=NOW)
        Registration.objects.update(account=None)
        open_waiting_accounts(now=NOW)
        assert Account.objects.count() == 1


@pytest.mark.usefixtures("branches")
class TestWhomAnAdminRegisters:
    def test_has_an_account_at_once_and_chooses_a_password_by_the_mail(
        self,
        client: Client,
        outbox: Path,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            asha = register()
        assert Account.objects.get().branch.code == "PUN"
        assert not asha.has_usable_password()
        form = client.get(link_in(outbox), follow=True)
        typed = {"password1": PASSWORD, "password2": PASSWORD}
        client.post(form.redirect_chain[-1][0], typed)
        assert EmailAddress.objects.get(user=asha).verified
        client.post("/auth/login/", {"login": asha.email, "password": PASSWORD})
        assert "New Person" in client.get("/").content.decode()

    def test_is_invited_again_until_they_have_a_password(self, outbox: Path) -> None:
        asha = register()
        invite(asha)
        assert len(list(outbox.iterdir())) == 2
        asha.set_password(PASSWORD)
        asha.save()
        with pytest.raises(NotInvited):
            invite(asha)

    def test_is_there_also_when_the_mail_could_not_be_sent(self, settings: Settings) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_PORT = 1
        assert register().pk

    def test_is_nobody_whose_address_is_known_in_any_case(self) -> None:
        register()
        with pytest.raises(EmailTaken):
            register(email="NEW@Example.org")

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"email": "nobody"}, InvalidEmail),
            ({"email": "a\0@example.org"}, DomainError),
            ({"full_name": "  "}, NameMissing),
            ({"full_name": "Ev\u202eil"}, DomainError),
            ({"branch": "ATL"}, UnknownBranch),
        ],
    )
    def test_is_described_without_faults(
        self, changes: dict[str, str], refusal: type[DomainError]
    ) -> None:
        with pytest.raises(refusal):
            register(**changes)
        assert not Registration.objects.exists()


def test_who_signed_up_is_not_invited(client: Client) -> None:
    sign_up(client)
    with pytest.raises(NotInvited):
        invite(User.objects.get())
