"""Money: a whole number of minor units in one currency. No float comes near it."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Self

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

_AMOUNT: Final = re.compile(r"(?P<whole>[0-9]{1,16})(?:\.(?P<fraction>[0-9]{1,6}))?", re.ASCII)


class UnknownCurrency(DomainError):
    """No such currency is kept here."""

    code = "unknown_currency"


class InvalidAmount(DomainError):
    """A text is no amount of money."""

    code = "invalid_amount"


class TooManyDecimals(InvalidAmount):
    """An amount has more decimals than its currency."""

    code = "too_many_decimals"


class AmountTooLarge(InvalidAmount):
    """An amount is larger than the bank moves in one transfer."""

    code = "amount_too_large"


def currency_named(code: str) -> Currency:
    """Return the currency of an ISO 4217 code.

    Raises:
        UnknownCurrency: the bank keeps no accounts in it.
    """
    try:
        return CURRENCIES[code]
    except KeyError:
        message = f"There are no accounts in the currency {code[:8]!r} here."
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
            UnknownCurrency, InvalidAmount, TooManyDecimals, AmountTooLarge
        """
        exponent = currency_named(currency).exponent
        found = _AMOUNT.fullmatch(text)
        if found is None:
            message = f"{text[:32]!r} is not an amount; write it as 1250 or 1250.50."
            raise InvalidAmount(message, field="amount")
        fraction = found["fraction"] or ""
        if len(fraction) > exponent:
            message = f"{currency} has {exponent} decimals; {text!r} has {len(fraction)}."
            raise TooManyDecimals(message, field="amount")
        minor = int(found["whole"]) * 10**exponent + int((fraction or "0").ljust(exponent, "0"))
        if minor == 0:
            message = "The amount must be more than zero."
            raise InvalidAmount(message, field="amount")
        if minor > MOST_MINOR:
            message = f"One transfer moves at most {cls(MOST_MINOR, currency).decimal} {currency}."
            raise AmountTooLarge(message, field="amount")
        return cls(minor, currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, with the currency's decimals."""
        return Decimal(self.minor).scaleb(-currency_named(self.currency).exponent)

    def __str__(self) -> str:
        """Write the amount as the API does: ``1250.50 INR``."""
        return f"{self.decimal:f} {self.currency}"
