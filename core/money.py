"""Money: a whole number of minor units in one currency. No float comes near it."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import DomainError


@dataclass(frozen=True, slots=True)
class Currency:
    """One currency of ISO 4217: its letters, its number, and the digits of its minor unit."""

    code: str
    number: int
    exponent: int


CURRENCIES: Final = {
    currency.code: currency
    for currency in (
        Currency("INR", 356, 2),
        Currency("CZK", 203, 2),
        Currency("EUR", 978, 2),
        Currency("USD", 840, 2),
        Currency("GBP", 826, 2),
        Currency("CHF", 756, 2),
        Currency("AED", 784, 2),
        Currency("SGD", 702, 2),
        Currency("JPY", 392, 0),
        Currency("KWD", 414, 3),
        Currency("BHD", 48, 3),
    )
}
MOST_MINOR: Final = 10**15
"""The largest amount of one transfer, in minor units; the ledger's functions refuse more."""

_AMOUNT: Final = re.compile(r"(?P<whole>[0-9]+)(?:\.(?P<fraction>[0-9]+))?", re.ASCII)
_MOST_DIGITS: Final = len(str(MOST_MINOR))
_FAULTS: Final = (
    (
        re.compile(r"[-+\u2212].*"),
        "amount_has_sign",
        gettext_lazy("An amount has no sign; write 1250.50."),
    ),
    (
        re.compile(r"nan|inf(inity)?", re.IGNORECASE),
        "amount_not_a_number",
        gettext_lazy("This is not a number; write the amount as 1250 or 1250.50."),
    ),
    (
        re.compile(r"[0-9.]+[eE][-+]?[0-9]+"),
        "amount_has_exponent",
        gettext_lazy("Write the amount in full, as 1250, without an exponent."),
    ),
    (
        # A digit, but none of 0 to 9.
        re.compile(r".*(?![0-9])\d.*"),
        "amount_has_other_digits",
        gettext_lazy("Write the amount with the digits 0 to 9."),
    ),
)


class UnknownCurrency(DomainError):
    """No such currency is kept here."""

    code = "unknown_currency"


class InvalidAmount(DomainError):
    """A text is no amount of money; ``code`` says what is wrong with it where that is known."""

    code = "invalid_amount"


def currency_named(code: str) -> Currency:
    """Return the currency of an ISO 4217 code.

    Raises:
        UnknownCurrency: the bank keeps no accounts in it.
    """
    try:
        return CURRENCIES[code]
    except KeyError:
        message = _("There are no accounts in the currency %(code)s here.") % {
            "code": repr(code[:8])
        }
        raise UnknownCurrency(message, field="currency") from None


@dataclass(frozen=True, slots=True)
class Money:
    """An amount: ``minor`` units of ``currency``; 1.50 INR is ``Money(150, "INR")``."""

    minor: int
    currency: str

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Read a positive decimal such as ``1250`` or ``1250.50``: ASCII digits and one point.

        Signs, spaces, exponents, other scripts' digits, ``NaN`` and separators are refused, so that
        nobody has to guess what was meant.

        Raises:
            UnknownCurrency, InvalidAmount
        """
        exponent = currency_named(currency).exponent
        found = _AMOUNT.fullmatch(text)
        if found is None:
            raise _fault_of(text)
        whole, fraction = found["whole"].lstrip("0"), found["fraction"] or ""
        if len(fraction) > exponent:
            message = _("%(currency)s has %(decimals)s decimals; this amount has %(digits)s.") % {
                "currency": currency,
                "decimals": exponent,
                "digits": len(fraction),
            }
            raise InvalidAmount(message, field="amount", code="too_many_decimals")
        digits = whole + fraction.ljust(exponent, "0")
        # Measured first: Python does not read numbers of thousands of digits.
        if len(digits) > _MOST_DIGITS or int(digits or "0") > MOST_MINOR:
            message = _("One transfer moves at most %(amount)s %(currency)s.") % {
                "amount": cls(MOST_MINOR, currency).decimal,
                "currency": currency,
            }
            raise InvalidAmount(message, field="amount", code="amount_too_large")
        minor = int(digits or "0")
        if minor == 0:
            message = _("The amount must be more than zero.")
            raise InvalidAmount(message, field="amount", code="amount_not_positive")
        return cls(minor, currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, with the currency's decimals."""
        return Decimal(self.minor).scaleb(-currency_named(self.currency).exponent)

    @property
    def text(self) -> str:
        """The amount in major units, written with the currency's decimals: ``1250.50``."""
        exponent = currency_named(self.currency).exponent
        if not exponent:
            return str(self.minor)
        digits = str(self.minor).zfill(exponent + 1 + (self.minor < 0))
        return f"{digits[:-exponent]}.{digits[-exponent:]}"

    def __str__(self) -> str:
        """Write the amount as the API does: ``1250.50 INR``."""
        return f"{self.text} {self.currency}"


def _fault_of(text: str) -> InvalidAmount:
    """Say what is wrong with a text that is no amount."""
    for pattern, code, words in _FAULTS:
        if pattern.fullmatch(text):
            return InvalidAmount(words, field="amount", code=code)
    message = _("This is not an amount; write it as 1250 or 1250.50.")
    return InvalidAmount(message, field="amount")
