"""The second step at a browser: a passkey is added and lets its owner in, without a password."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page

from tests.browsing import Chromium
from tests.factories import person

PASSWORD = "correct horse battery staple"
DEVICE: dict[str, Any] = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def email(site: str) -> str:
    """Give the address of a customer who can log in."""
    assert site
    user = person(full_name="Asha Rao")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return str(user.email)


def test_a_passkey_is_added_and_lets_in(site: str, chromium: Chromium, email: str) -> None:
    complaints: list[str] = []
    with chromium.lent() as browser:
        page = browser.new_page()
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        _plug_in(page)
        _log_in(page, site, email)
        _add_passkey(page, site)
        page.get_by_role("banner").locator("summary").click()
        page.get_by_role("button", name="Log out").click()
        page.goto(site)
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_selector("text=Asha Rao")
    assert [one for one in complaints if "Content Security" in one] == []
    assert Authenticator.objects.filter(type="webauthn").count() == 1


def _plug_in(page: Page) -> None:
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})


def _log_in(page: Page, address: str, email: str) -> None:
    page.goto(address)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_selector("text=Asha Rao")


def _add_passkey(page: Page, address: str) -> None:
    page.goto(f"{address}/auth/2fa/webauthn/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name").fill("This laptop")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    page.wait_for_selector("text=Recovery")
