"""Amounts as people write them: what they type, in any local writing that can mean one thing only.

``1,25,000.50``, ``1.250,50``, ``1 250,50`` and ``1'250.50``, with or without a currency's sign, in
full-width or Indic digits. What could be read in two ways is refused and not guessed at.
"""

import re
from typing import Final

from babel.numbers import get_currency_symbol
from django.utils.translation import gettext as _

from core.money import InvalidAmount, Money, currency_named

_LOCALES: Final = ("en_IN", "en", "hi", "cs", "ja")
_OTHER_SIGNS: Final = {"INR": ("Rs.", "Rs")}
_PAISE_MARK: Final = "/-"
_PUNCTUATION: Final = str.maketrans(
    {
        "\N{FULLWIDTH FULL STOP}": ".",
        "\N{FULLWIDTH COMMA}": ",",
        "\N{FULLWIDTH APOSTROPHE}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    }
)
_DIGITS: Final = "0123456789"
_ZEROS: Final = ("\N{FULLWIDTH DIGIT ZERO}", "\N{DEVANAGARI DIGIT ZERO}")
# Groups of two or three digits, the last of three: 1,250 and 1,25,000, but not 12,50.
_COMMAS: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3}(?:\.[0-9]*)?", re.ASCII)
_BLANKS: Final = re.compile(r"[0-9]{1,3}(?:[ '][0-9]{2,3})*[ '][0-9]{3}(?:[.,][0-9]*)?", re.ASCII)
# Points group only where a comma follows, or where there are several of them.
_POINTS: Final = re.compile(
    r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]*|[0-9]{1,3}(?:\.[0-9]{3}){2,}", re.ASCII
)
_LAST_GROUP: Final = 3
_OTHER_GROUPS: Final = 2
_MAY_BE_DECIMALS: Final = re.compile(r"[0-9]{1,3},[0-9]{3}", re.ASCII)


def parse_typed_amount(text: str, currency: str) -> Money:
    """Read an amount that a person typed into a form.

    Raises:
        UnknownCurrency, InvalidAmount: what may mean two amounts is not guessed at.
    """
    exponent = currency_named(currency).exponent
    bare = _digits_of_one_script(_without_signs(" ".join(text.split()), currency))
    bare = bare.translate(_PUNCTUATION)
    if _COMMAS.fullmatch(bare):
        # With three decimals, 1,250 is one thousand here and one and a quarter there.
        if exponent == len("250") and _MAY_BE_DECIMALS.fullmatch(bare):
            raise _comma_refused()
        return Money.parse(bare.replace(",", ""), currency)
    if _BLANKS.fullmatch(bare):
        return Money.parse(re.sub("[ ']", "", bare).replace(",", "."), currency)
    if _POINTS.fullmatch(bare):
        return Money.parse(bare.replace(".", "").replace(",", "."), currency)
    if "," in bare:
        raise _comma_refused()
    return Money.parse(bare, currency)


def grouped(text: str) -> str:
    """Write an amount without a sign in India's groups: the last of three, others of two."""
    whole, point, fraction = text.partition(".")
    head, last = whole[:-_LAST_GROUP], whole[-_LAST_GROUP:]
    first = len(head) % _OTHER_GROUPS
    groups = [head[at : at + _OTHER_GROUPS] for at in range(first, len(head), _OTHER_GROUPS)]
    return ",".join([*([head[:first]] if first else []), *groups, last]) + point + fraction


def _without_signs(text: str, currency: str) -> str:
    """Return an amount without the currency's sign or letters before or after it."""
    signs = {currency, *(get_currency_symbol(currency, locale) for locale in _LOCALES)}
    bare = text.removesuffix(_PAISE_MARK).strip()
    for sign in sorted({*signs, *_OTHER_SIGNS.get(currency, ())}, key=len, reverse=True):
        bare = bare.removeprefix(sign).removesuffix(sign).strip()
    return bare


def _digits_of_one_script(text: str) -> str:
    """Write full-width or Devanagari digits as 0 to 9; where scripts are mixed, leave them."""
    for zero in _ZEROS:
        ours = {ord(zero) + digit: str(digit) for digit in range(10)}
        written = text.translate(ours)
        if written != text and not any(digit in text for digit in _DIGITS):
            return written
    return text


def _comma_refused() -> InvalidAmount:
    message = _(
        "This can be read in two ways. Write decimals with a point, as 1250.50; "
        "commas only group thousands."
    )
    return InvalidAmount(message, field="amount", code="amount_has_comma")
