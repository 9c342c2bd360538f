"""Customers and staff at a narrow phone without JavaScript, under names that are hard to write."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page

from accounts.models import Account, Branch, Holding, User
from core import clock
from tests.browsing import Chromium
from tests.factories import BRANCH, account, inr, instant, order, person
from transactions.cash import CashFilling, fill_with_cash
from transactions.chart import Place
from transactions.ledger.posting import BANK_CLIENT, Transfer, post
from transactions.ledger.reads import balances
from transactions.payments.models import Payee

NARROW = 320
LONG = "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenhaft " * 2
RIGHT_TO_LEFT = "محمد بن عبد الرحمن آل مکتوم"
EMOJI = "👩‍👩‍👧‍👦 Priya 🏳️‍🌈"
# Browsers open what folds themselves; without scripts nothing else may be needed.
FOLDED = "Search and filter"


@dataclass(frozen=True)
class Scene:
    """A bank's address, a customer, their account, whom they pay, and the sessions of two."""

    address: str
    asha: User
    mine: int
    friend: int
    sessions: dict[str, str]


@pytest.fixture(scope="module")
def scene(site: str) -> Scene:
    """Give a served bank: one customer's name is long, others are written from right to left."""
    asha, staff = person(full_name=LONG[:120].strip()), person(role="employee")
    mine, friend = account(balance=500_000, owner=asha), account(owner=person(full_name=EMOJI))
    other = account(owner=person(full_name=RIGHT_TO_LEFT))
    _register(mine, asha)
    for number, name in ((friend, EMOJI), (other, LONG[:40].strip())):
        Payee.objects.create(
            user=asha, account=number, currency="INR", nickname=name, added_at=clock.now()
        )
        post(Transfer(mine, number, inr(100), memo=RIGHT_TO_LEFT), order=order())
    filling = CashFilling(
        user=BANK_CLIENT, key="fill", node="default", place=Place.MACHINE, amount=inr(100_000)
    )
    fill_with_cash(filling, now=instant())
    sessions = {"customer": _session_of(asha), "employee": _session_of(staff)}
    return Scene(site, asha, mine, friend, sessions)


def _register(number: int, owner: User) -> None:
    branch, _is_new = Branch.objects.get_or_create(
        number=BRANCH, defaults={"code": "HO", "name": "Head office"}
    )
    found = Account.objects.create(
        number=number, branch=branch, product="current", currency="INR", opened_at=instant()
    )
    Holding.objects.create(account=found, user=owner, rights="owner")


def _session_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@contextmanager
def phone(scene: Scene, chromium: Chromium, who: str) -> Iterator[Page]:
    """Open a narrow browser without scripts, in which somebody is logged in."""
    with chromium.lent() as browser:
        context = browser.new_context(
            viewport={"width": NARROW, "height": 700}, java_script_enabled=False
        )
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": scene.sessions[who], "url": scene.address}])
        yield context.new_page()


def too_wide(page: Page) -> list[str]:
    """Return what of a page stands beyond the edge of the phone."""
    page.wait_for_load_state()
    found: list[str] = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
          [...document.querySelectorAll("main *")]
            .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
            .map((one) => `${location.pathname}: ${one.tagName} ${one.className} ${one.id}`)"""
    )
    return found


def press(page: Page, name: str) -> None:
    """Press a button of the page, and hold what comes against the phone's width."""
    page.get_by_role("main").get_by_role("button", name=name, exact=True).click()
    assert too_wide(page) == []


def look_at_the_statement(page: Page, scene: Scene) -> None:
    """Filter the statement, and take what is left away as a file."""
    page.goto(f"{scene.address}/accounts/{scene.mine}/")
    page.get_by_text(FOLDED).click()
    page.get_by_label("Amount from").fill("2")
    press(page, "Show")
    assert "amount_min=2" in page.url
    with page.expect_download() as downloading:
        page.get_by_role("link", name="CSV").first.click()
    assert "5000.00" in Path(downloading.value.path()).read_text("utf-8")


def give_a_standing_order(page: Page, scene: Scene) -> None:
    """Give a standing order, pause it and cancel it."""
    page.goto(f"{scene.address}/standing-orders/new/?to={scene.friend}")
    page.get_by_label("To account").fill(str(scene.friend))
    page.get_by_label("Amount", exact=True).fill("१००")
    page.get_by_label("First date").fill(f"{clock.now().date() + timedelta(days=40):%Y-%m-%d}")
    press(page, "Continue")
    press(page, "Give the standing order")
    press(page, "Pause")
    assert "Paused." in page.inner_text("main")
    page.get_by_text("Cancel", exact=True).click()
    press(page, "Yes, cancel it")
    assert "Cancelled." in page.inner_text("main")


def take_cash(page: Page, scene: Scene) -> None:
    """Pay cash in."""
    page.goto(f"{scene.address}/cash/")
    page.get_by_label("Amount").fill("200")
    press(page, "Pay in")


def lower_a_limit(page: Page, scene: Scene) -> None:
    """Lower a limit, which holds at once."""
    page.goto(f"{scene.address}/accounts/{scene.mine}/limits/")
    page.get_by_label("In a day").fill("1000")
    press(page, "Change the limits")
    assert "₹1,000.00" in page.inner_text("main")


def read_hindi(page: Page) -> None:
    """Choose a language in the menu, and go back to the first."""
    page.locator("summary").first.click()
    page.get_by_role("button", name="हिन्दी").click()
    assert "सीमाएँ" in page.inner_text("main")
    assert too_wide(page) == []
    page.locator("summary").first.click()
    page.get_by_role("button", name="English").click()


def reach_every_place(page: Page, scene: Scene) -> None:
    """Find four places at the foot, whole, and the others in the menu."""
    page.goto(f"{scene.address}/")
    boxes = [one.bounding_box() for one in page.locator(".places a:visible").all()]
    assert [box for box in boxes if not box or box["x"] + box["width"] > NARROW + 1] == []
    assert len(boxes) == 4
    page.locator("summary").first.click()
    for name in ("Cash", "Security"):
        assert page.get_by_role("banner").get_by_role("link", name=name).is_visible()


def test_a_customer_does_everything(scene: Scene, chromium: Chromium) -> None:
    with phone(scene, chromium, "customer") as page:
        for place in ("", "payees/", "transfers/new/", "profile/", "insights/"):
            page.goto(f"{scene.address}/{place}")
            assert too_wide(page) == []
        reach_every_place(page, scene)
        look_at_the_statement(page, scene)
        give_a_standing_order(page, scene)
        take_cash(page, scene)
        lower_a_limit(page, scene)
        read_hindi(page)
    assert balances([scene.mine])[0].balance == 519_800


def test_an_employee_finds_and_reads_a_customer(scene: Scene, chromium: Chromium) -> None:
    with phone(scene, chromium, "employee") as page:
        page.goto(f"{scene.address}/staff/")
        page.get_by_role("main").get_by_role("searchbox").fill("wolfesch")
        press(page, "Find")
        page.get_by_role("main").get_by_role("link").filter(has_text="Wolfe").first.click()
        assert too_wide(page) == []
        page.get_by_label("e-mail and telephone").check()
        page.get_by_label("In your words").fill("asked at the counter")
        press(page, "Show for 15 minutes")
        assert str(scene.asha.email) in page.inner_text("main")
        for part in ("accounts", "movements", "people", "limits", "timeline"):
            page.goto(f"{scene.address}/staff/customers/{scene.asha.number}/{part}/")
            assert too_wide(page) == []
