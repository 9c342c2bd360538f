"""The second step at a browser: a passkey is added and lets its owner in, without a password."""

from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, sync_playwright

from bankproject.runtime.postgres import BankUrls
from tests.factories import person
from tests.website import website

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
def email(fresh_bank: BankUrls) -> str:
    """Give the address of a customer who can log in."""
    assert fresh_bank
    user = person(full_name="Asha Rao")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return str(user.email)


def test_a_passkey_is_added_and_lets_in(
    fresh_bank: BankUrls, tmp_path: Path, chromium: Path, email: str
) -> None:
    complaints: list[str] = []
    with website(fresh_bank, tmp_path) as address, sync_playwright() as playwright:
        # Root may not use the sandbox; the pages are our own.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        _plug_in(page)
        _log_in(page, address, email)
        _add_passkey(page, address)
        page.get_by_role("banner").locator("summary").click()
        page.get_by_role("button", name="Log out").click()
        page.goto(address)
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_selector("text=Asha Rao")
        browser.close()
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
