"""How pages write amounts: as people of the bank's country do, or not at all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Final

from babel.numbers import format_currency
from django.http import HttpRequest, HttpResponse

from core.amounts import grouped
from core.money import Money
from portals.languages import page_locale

HIDE_COOKIE: Final = "hide_amounts"
HIDDEN: Final = "••••"
"""Stands for any amount: as wide for a large one as for a small one."""

_MINUS: Final = "\N{MINUS SIGN}"

_are_hidden: ContextVar[bool] = ContextVar("amounts_hidden", default=False)


class HideAmountsMiddleware:
    """Write no amount on the pages of who does not want others to see them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        with _hiding(wanted=request.COOKIES.get(HIDE_COOKIE) == "yes"):
            return self._get_response(request)


def are_hidden() -> bool:
    """Tell whether the page under way shows no amounts."""
    return _are_hidden.get()


def written(amount: Money) -> str:
    """Write an amount: ₹1,25,000.50."""
    if are_hidden():
        return HIDDEN
    before, after = _signs(amount.currency, page_locale())
    minus = _MINUS if amount.minor < 0 else ""
    size = grouped(Money(abs(amount.minor), amount.currency).text)
    return f"{minus}{before}{size}{after}"


def written_change(amount: Money) -> str:
    """Write an amount with its sign, plus or minus."""
    return written(amount) if amount.minor < 0 or are_hidden() else f"+{written(amount)}"


@contextmanager
def _hiding(*, wanted: bool) -> Iterator[None]:
    token = _are_hidden.set(wanted)
    try:
        yield
    finally:
        _are_hidden.reset(token)


@cache
def _signs(currency: str, locale: str) -> tuple[str, str]:
    """Return what a locale puts before and after an amount in a currency.

    Babel knows it, and takes a hundred times as long for each amount as it does to put them there.
    """
    nothing = Money(0, currency)
    shown: str = format_currency(nothing.decimal, currency, locale=locale)
    before, _number, after = shown.partition(nothing.text)
    return before, after
