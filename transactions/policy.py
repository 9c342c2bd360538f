"""From which amount on a person is asked again, and what an API key may send at once."""

from typing import Final

from django.utils.translation import gettext as _

from accounts.callers import Caller
from core.errors import DomainError
from core.money import Money, currency_named

# ₹1,00,000, and of other currencies about the same worth, in whole units.
_LARGE: Final = {
    "INR": 100_000,
    "CZK": 30_000,
    "EUR": 1_200,
    "USD": 1_200,
    "GBP": 1_000,
    "CHF": 1_000,
    "AED": 4_000,
    "SGD": 1_600,
    "JPY": 180_000,
    "KWD": 360,
    "BHD": 440,
}
_KEYS_CURRENCY: Final = "INR"


class KeyLimitExceeded(DomainError):
    """An API key sends no such amount; its owner can, logged in."""

    code = "key_limit_exceeded"
    http_status = 403


def step_up_amount(currency: str) -> Money:
    """Return the amount from which on a person proves again who they are.

    Raises:
        UnknownCurrency: the bank keeps no accounts in it.
    """
    whole = _LARGE[currency_named(currency).code]
    return Money(whole * 10 ** currency_named(currency).exponent, currency)


def is_large(amount: Money) -> bool:
    """Tell whether sending an amount needs a step-up."""
    return amount.minor >= step_up_amount(amount.currency).minor


def check_key_limit(caller: Caller, amount: Money, *, field: str = "amount") -> None:
    """Check that an amount is not more than an API key sends at once; people have no such limit.

    A key without one sends nothing.

    Raises:
        KeyLimitExceeded: blaming ``field``.
    """
    if caller.via != "key":
        return
    # By the same worth as the amounts above.
    large, large_of_key = step_up_amount(amount.currency), step_up_amount(_KEYS_CURRENCY)
    bound = caller.largest_transfer or 0
    most = Money(bound * large.minor // large_of_key.minor, amount.currency)
    if amount.minor > most.minor:
        message = _("This API key sends at most %(most)s at once.") % {"most": most}
        raise KeyLimitExceeded(message, field=field)


def needs_step_up(caller: Caller, amount: Money) -> bool:
    """Tell whether a caller must confirm an amount with a code; an API key never can."""
    return caller.via != "key" and is_large(amount)
