"""Card numbers: made, checked, and known again without being kept.

Sixteen digits: six of this bank's, nine at random, and the check digit of ISO 7812. The first six
begin with 9 and India's number, which no card network uses: nobody else can be paid by them.
"""

import secrets
from typing import Final

from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from stdnum import luhn

from core.errors import DomainError

ISSUER: Final = "935600"
LENGTH: Final = 16
_SERIALS: Final = 10 ** (LENGTH - len(ISSUER) - 1)
_SALT: Final = "card number"


class InvalidCardNumber(DomainError):
    """A text is no card number: mistyped, most likely."""

    code = "invalid_card_number"


def new_card_number() -> str:
    """Return a number at random; another card may have it."""
    digits = f"{ISSUER}{secrets.randbelow(_SERIALS):0{LENGTH - len(ISSUER) - 1}}"
    return digits + str(luhn.calc_check_digit(digits))


def parse_card_number(text: str, *, field: str = "card_number") -> str:
    """Read a card number; spaces between digits are allowed. Its text is in no message.

    Raises:
        InvalidCardNumber
    """
    digits = text.replace(" ", "")
    is_shaped = len(digits) == LENGTH and digits.isascii() and digits.isdigit()
    if not is_shaped or not luhn.is_valid(digits):
        message = _("This is no card number; please check its digits.")
        raise InvalidCardNumber(message, field=field)
    return digits


def digest_of(number: str) -> str:
    """Return by what a number is known: without the bank's key nobody can try all numbers."""
    return _digest(number, settings.SECRET_KEY)


def digests_of(number: str) -> list[str]:
    """Return by what a number may be known: under the bank's key, and under those before it."""
    return [_digest(number, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def shown_card_number(number: str) -> str:
    """Return a number in groups of four, as it stands on a card."""
    return " ".join(number[at : at + 4] for at in range(0, LENGTH, 4))


def _digest(number: str, key: str) -> str:
    return salted_hmac(_SALT, number, secret=key, algorithm="sha256").hexdigest()
