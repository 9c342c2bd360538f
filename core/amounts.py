"""Amounts as people type them: with blanks, grouping commas and a currency's sign."""

import re
from typing import Final

from babel.numbers import get_currency_symbol

from core.money import InvalidAmount, Money

_LOCALES: Final = ("en_IN", "en")
# Groups of two or three digits, the last of three: 1,250 and 1,25,000, but not 12,50.
_GROUPED: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3}(?:\.[0-9]*)?", re.ASCII)


def parse_typed_amount(text: str, currency: str) -> Money:
    """Read an amount that a person typed into a form.

    Raises:
        UnknownCurrency, InvalidAmount: a comma that may stand for decimals is not guessed at.
    """
    bare = "".join(text.split())
    signs = {currency, *(get_currency_symbol(currency, locale) for locale in _LOCALES)}
    for sign in sorted(signs, key=len, reverse=True):
        bare = bare.removeprefix(sign).removesuffix(sign)
    if "," in bare:
        if not _GROUPED.fullmatch(bare):
            message = "Write decimals with a point, as 1250.50; commas only group thousands."
            raise InvalidAmount(message, field="amount", code="amount_has_comma")
        bare = bare.replace(",", "")
    return Money.parse(bare, currency)
