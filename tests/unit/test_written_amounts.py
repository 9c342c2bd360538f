"""Amounts as pages write them."""

import pytest
from babel.numbers import format_currency
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import translation

from core.money import CURRENCIES, Money
from portals.amounts import (
    HIDDEN,
    HIDE_COOKIE,
    HideAmountsMiddleware,
    written,
    written_change,
)

MINORS = (0, 1, 99, 100, 99_999, 100_000, 1_234_567, 12_345_678, 10**11 + 5, 10**15)


@pytest.mark.parametrize("currency", CURRENCIES)
@pytest.mark.parametrize(("language", "locale"), [("en-in", "en_IN"), ("hi", "hi_IN")])
def test_is_written_as_babel_writes_it(currency: str, language: str, locale: str) -> None:
    with translation.override(language):
        for minor in MINORS:
            amount = Money(minor, currency)
            assert written(amount) == format_currency(amount.decimal, currency, locale=locale)


def test_has_a_true_minus_or_a_plus_where_it_is_a_change() -> None:
    assert written(Money(-12_500_050, "INR")) == "\N{MINUS SIGN}₹1,25,000.50"
    assert written_change(Money(150, "INR")) == "+₹1.50"
    assert written_change(Money(-150, "INR")) == "\N{MINUS SIGN}₹1.50"


def test_is_hidden_alike_whatever_it_is() -> None:
    request = RequestFactory().get("/")
    request.COOKIES[HIDE_COOKIE] = "yes"
    amounts = [Money(minor, "INR") for minor in (-5, 1, 10**15)]
    seen: list[str] = []

    def page(_request: object) -> HttpResponse:
        seen.extend(one(amount) for amount in amounts for one in (written, written_change))
        return HttpResponse()

    HideAmountsMiddleware(page)(request)
    assert set(seen) == {HIDDEN}
    assert written(amounts[1]) == "₹0.01"
