"""A customer at a browser: log in, look, send money, go back, send again."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import Browser, Page

from tests.browsing import Chromium
from tests.factories import account, person
from tests.website import behind_haproxy
from transactions.ledger.reads import balances

PASSWORD = "correct horse battery staple"
DESK = {"width": 1200, "height": 900}
PHONE = {"width": 390, "height": 800}


@dataclass(frozen=True)
class Scene:
    """A customer with an account, a friend with another, and the bank's address."""

    address: str
    email: str
    account: int
    friend: int


@pytest.fixture
def scene(site: str) -> Scene:
    """Give two customers of a served bank."""
    asha, priya = person(full_name="Asha Rao"), person(full_name="Priya Nair")
    for user in (asha, priya):
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    mine, friend = account(balance=500_000, owner=asha), account(owner=priya)
    return Scene(site, str(asha.email), mine, friend)


def open_page(
    browser: Browser, size: dict[str, int], complaints: list[str], *, scripts: bool = True
) -> Page:
    """Open a page that notes what breaks the content policy, and every error of a script."""
    page = browser.new_page(
        viewport=size,  # type: ignore[arg-type]  # a width and a height
        java_script_enabled=scripts,
    )
    page.on(
        "console",
        lambda said: complaints.append(said.text) if "Content Security" in said.text else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


def log_in(page: Page, scene: Scene) -> None:
    """Log in at the door."""
    page.goto(scene.address)
    page.get_by_label("Email").fill(scene.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def send_money(page: Page, scene: Scene) -> str:
    """Go all the way, with a mistake on it, and return the receipt's address."""
    log_in(page, scene)
    assert "₹5,000.00" in page.inner_text("main")
    page.get_by_role("link", name="Account", exact=False).filter(has_text="₹5,000.00").click()
    assert "+₹5,000.00" in page.inner_text("table")

    page.get_by_role("main").get_by_role("link", name="Send money").click()
    page.get_by_label("To account").fill("12")
    page.get_by_label("Amount").fill("1e3")
    page.get_by_role("button", name="Continue").click()
    problem = page.get_by_role("alert")
    assert "An account number has 12 digits." in problem.inner_text()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "alert"
    page.get_by_role("link", name="An account number has 12 digits.").click()
    assert page.evaluate("document.activeElement.name") == "credit_account"

    page.get_by_label("To account").fill(str(scene.friend))
    page.get_by_label("Amount").fill("₹1,250")
    page.get_by_label("Message").fill("rent")
    page.get_by_role("button", name="Continue").click()
    assert "Priya N." in page.inner_text("main")
    page.get_by_role("button", name="Send ₹1,250.00").dblclick()
    page.wait_for_url("**/transfers/*-*/")
    assert "₹1,250.00" in page.inner_text("main")
    return page.url


def go_back_and_log_out(page: Page, receipt: str) -> None:
    """Try to send again, then leave."""
    page.go_back()
    page.wait_for_url(receipt)
    assert "It has not been sent again" in page.inner_text("main")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.get_by_role("banner").locator("summary").click()
    page.get_by_role("button", name="Log out").click()
    page.goto(receipt)
    assert "/auth/login/" in page.url


def test_sends_money_once_through_haproxy(
    scene: Scene, chromium: Chromium, haproxy: Path, tmp_path: Path
) -> None:
    with behind_haproxy(scene.address, tmp_path, program=haproxy) as address:
        sends_money_once(replace(scene, address=address), chromium, DESK)


@pytest.mark.parametrize(
    ("size", "scripts"),
    [(DESK, True), (PHONE, True), (PHONE, False)],
    ids=["desk", "phone", "without JavaScript"],
)
def test_sends_money_once(
    scene: Scene, chromium: Chromium, size: dict[str, int], *, scripts: bool
) -> None:
    sends_money_once(scene, chromium, size, scripts=scripts)


def sends_money_once(
    scene: Scene, chromium: Chromium, size: dict[str, int], *, scripts: bool = True
) -> None:
    """Go the whole journey, and hold that the money went once."""
    complaints: list[str] = []
    with chromium.lent() as browser:
        page = open_page(browser, size, complaints, scripts=scripts)
        receipt = send_money(page, scene)
        go_back_and_log_out(page, receipt)
    assert complaints == []
    assert [one.balance for one in balances([scene.account, scene.friend])] == [375_000, 125_000]


def test_resets_a_forgotten_password_from_the_outbox(scene: Scene, chromium: Chromium) -> None:
    complaints: list[str] = []
    with chromium.lent() as browser:
        page = open_page(browser, PHONE, complaints)
        page.goto(scene.address)
        page.get_by_role("link", name="Forgot your password?").click()
        page.get_by_label("Email").fill(scene.email)
        page.get_by_role("main").get_by_role("button").click()
        page.get_by_role("link", name="Outbox (demo)").click()
        page.locator(".mail a").first.click()
        for label in ("New Password", "New Password (again)"):
            page.get_by_label(label, exact=True).fill("seven purple elephants dance")
        page.get_by_role("button", name="Change Password").click()
        page.goto(scene.address)
        page.get_by_label("Email").fill(scene.email)
        page.get_by_label("Password").fill("seven purple elephants dance")
        page.get_by_role("button", name="Log in").click()
        assert "₹5,000.00" in page.inner_text("main")
    assert complaints == []
