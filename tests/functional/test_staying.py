"""A screen that was left alone, and keys, at a real browser."""

from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import Page

from tests.browsing import Chromium
from tests.factories import account, person

PASSWORD = "correct horse battery staple"


@pytest.fixture
def page(site: str, chromium: Chromium) -> Iterator[Page]:
    """Give a browser, its clock in our hands, in which a customer is at the transfer form."""
    asha = person(full_name="Asha Rao")
    EmailAddress.objects.create(user=asha, email=asha.email, verified=True, primary=True)
    account(balance=500_000, owner=asha)
    with chromium.lent() as browser:
        page = browser.new_page()
        page.clock.install()
        page.goto(f"{site}/transfers/new/")
        page.get_by_label("Email").fill(str(asha.email))
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Log in").click()
        page.get_by_label("Amount").wait_for()
        yield page


def test_who_is_left_alone_is_asked_and_finds_their_draft_again(page: Page) -> None:
    page.get_by_label("Amount").fill("1,250")
    page.clock.run_for(840 * 1000)
    asked = page.get_by_role("dialog", name="Are you still there?")
    asked.wait_for()
    asked.get_by_role("button", name="Stay logged in").click()
    asked.wait_for(state="hidden")

    page.clock.run_for(870 * 1000)
    asked.wait_for()
    with page.expect_navigation():
        page.clock.run_for(60_000)
    page.get_by_label("Amount").wait_for()
    assert page.get_by_label("Amount").input_value() == "1,250"


def test_keys_lead_everywhere(page: Page) -> None:
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("?")
    helping = page.get_by_role("dialog", name="Keys")
    helping.wait_for()
    helping.get_by_label("Keys of a single letter").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert not helping.is_visible()

    page.keyboard.press("Control+k")
    page.get_by_label("Go to a page", exact=True).last.fill("secur")
    page.keyboard.press("Enter")
    page.wait_for_url("**/security/")

    page.keyboard.press("Control+k")
    page.keyboard.type("overview")
    page.keyboard.press("Enter")
    page.get_by_text("₹5,000.00").first.wait_for()
    page.keyboard.press("Control+Shift+P")
    page.get_by_text("••••").first.wait_for()
    assert "₹5,000.00" not in page.inner_text("body")
