"""Lists at a real browser: pages and filters change a part of the page, and nothing else does."""

from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import Page

from accounts.models import User
from tests.browsing import Chromium
from tests.factories import account, inr, order, person
from transactions.ledger.posting import Transfer, post

PASSWORD = "correct horse battery staple"


@pytest.fixture
def page(site: str, chromium: Chromium) -> Iterator[Page]:
    """Give a browser at a statement of two pages."""
    asha: User = person(full_name="Asha Rao")
    EmailAddress.objects.create(user=asha, email=asha.email, verified=True, primary=True)
    mine, other = account(balance=500_000, owner=asha), account()
    for amount in range(1, 61):
        post(Transfer(mine, other, inr(amount)), order=order())
    with chromium.lent() as browser:
        page = browser.new_page()
        page.goto(f"{site}/accounts/{mine}/")
        page.get_by_label("Email").fill(str(asha.email))
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("main").get_by_role("button", name="Log in").click()
        page.get_by_role("link", name="Older").wait_for()
        page.evaluate("window.loadedOnce = true")
        yield page


def is_same_page(page: Page) -> bool:
    """Tell whether the page has not been loaded as a whole since."""
    return bool(page.evaluate("window.loadedOnce === true"))


def test_pages_and_filters_change_a_part_of_the_page(page: Page) -> None:
    page.get_by_role("link", name="Older").click()
    page.get_by_text("₹0.01").first.wait_for()
    assert is_same_page(page)
    assert page.evaluate("document.activeElement.id") == "main"
    page.go_back()
    page.get_by_role("link", name="Older").wait_for()

    page.evaluate("window.loadedOnce = true")
    page.get_by_text("Search and filter").click()
    form = page.get_by_role("search")
    form.locator("[name=amount_min]").fill("lots")
    form.get_by_role("button", name="Show").click()
    page.get_by_role("alert").wait_for()
    assert is_same_page(page)
    assert "amount_min=lots" in page.url


def test_a_file_is_a_file_and_the_door_a_page(page: Page) -> None:
    with page.expect_download() as downloading:
        page.get_by_role("link", name="CSV").click()
    assert downloading.value.suggested_filename.endswith(".csv")
    page.context.clear_cookies()
    page.get_by_role("link", name="Older").click()
    page.get_by_label("Password").wait_for()
    assert not is_same_page(page)
