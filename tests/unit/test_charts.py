"""The picture of how an account went, for histories of every length."""

import re
from datetime import date, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from matplotlib.colors import to_rgba
from PIL import Image

from core.money import Money
from portals.reports import charts
from portals.reports.charts import account_chart
from transactions.reporting.account_days import AccountDays, Day, Period
from transactions.selectors import AccountView

LAST = date(2026, 11, 22)
THEMES = Path(__file__).parents[2] / "design" / "themes.css"


def history(
    days: int, *, currency: str = "INR", moving: bool = True, most: int = 90_000
) -> AccountDays:
    """Return an account over some days, on which little or nothing happened."""
    dice, balance, found = Random(days), 5_000_000, []
    period = Period(first=LAST - timedelta(days - 1), last=LAST)
    for day in period:
        coming = most * 3 if moving and day.day == LAST.day else 0
        going = dice.randint(1, most) if moving and dice.random() < 0.4 else 0
        balance += coming - going
        found.append(Day(day, coming, going, bool(coming) + bool(going), balance))
    amount = Money(balance, currency)
    account = AccountView(
        number=201000000014,
        product="savings",
        branch="Mumbai",
        currency=currency,
        status="open",
        balance=amount,
        held=Money(0, currency),
        available=amount,
    )
    return AccountDays(account=account, period=period, days=found)


def colors_of(picture: bytes) -> dict[Any, int]:
    """Count the points of each colour in a picture; of few points there are all shades."""
    image = Image.open(BytesIO(picture)).convert("RGB")
    found = image.getcolors(1 << 24)
    return {color: count for count, color in found or [] if count > 20}


def rgb(color: str) -> tuple[int, ...]:
    """Return a colour as a picture has it."""
    return tuple(round(part * 255) for part in to_rgba(color)[:3])


@cache
def picture_of(days: int, form: str = "png", **differing: Any) -> bytes:
    """Draw an account over some days; each of them once for all tests."""
    return account_chart(history(days, **differing), form)


class TestAPicture:
    @pytest.mark.parametrize("days", [1, 175, 3_650])
    def test_shows_credits_debits_and_the_balance_of_a_history_of_any_length(
        self, days: int
    ) -> None:
        found = colors_of(picture_of(days))
        assert {rgb(charts.BALANCE), rgb(charts.IN), rgb(charts.OUT)} <= found.keys()

    def test_of_nothing_shows_the_balance_alone(self) -> None:
        found, moved = colors_of(picture_of(175, moving=False)), colors_of(picture_of(175))
        assert rgb(charts.BALANCE) in found
        # The word and the figure in the head are of this colour, too.
        assert found[rgb(charts.OUT)] * 2 < moved[rgb(charts.OUT)]

    def test_comes_in_three_forms(self) -> None:
        assert picture_of(1).startswith(b"\x89PNG")
        assert picture_of(1, "pdf").startswith(b"%PDF-1.")
        assert fromstring(picture_of(1, "svg")).tag.endswith("svg")  # noqa: S314  # the bank's own

    def test_of_the_same_figures_is_the_same_file(self) -> None:
        for form in ("svg", "pdf"):
            assert account_chart(history(1), form) == picture_of(1, form)

    def test_keeps_the_largest_figures_within_it(self) -> None:
        picture = Image.open(BytesIO(picture_of(175, currency="KWD", most=10**15))).convert("RGB")
        width, height = picture.size
        for edge in (0, width - 1):
            column = {picture.getpixel((edge, y)) for y in range(height)}
            assert column == {rgb(charts.PAPER)}

    def test_has_the_colours_of_the_pages(self) -> None:
        light = THEMES.read_text("utf-8").partition('name: "dark"')[0]
        for name, color in {
            "series-in": charts.IN,
            "series-out": charts.OUT,
            "series-balance": charts.BALANCE,
            "color-base-content": charts.TEXT,
            "quiet": charts.QUIET,
        }.items():
            assert re.search(rf"--{name}: {color};", light), name


class TestFigures:
    def test_of_months_add_up_to_those_of_the_days(self) -> None:
        found = history(175)
        assert sum(one.coming.minor for one in found.months) == found.coming.minor
        assert sum(one.going.minor for one in found.months) == found.going.minor
        assert sum(one.entries for one in found.months) == found.entries
        assert found.months[-1].balance == found.closing
        assert found.net == Money(found.coming.minor - found.going.minor, "INR")
