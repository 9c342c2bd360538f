"""Account numbers and user IDs: branch, serial, check digit.

An account number has twelve digits: the branch's number (3), a serial (8), and a check digit by ISO
7064 MOD 11,10, which catches every single wrong digit and nearly all swapped neighbours. The ledger
knows accounts by nothing else. Serials from 90000000 on are the bank's own accounts: 9, the
currency's number (3), and a place in the chart of accounts (4).

A user ID has eleven, so that nobody takes the one for the other: the number of the branch where the
person joined (3), a serial (7), and a check digit of the same kind. The database makes them, by
``sql/people.sql``.
"""

from typing import Final

from django.utils.translation import gettext as _
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_11_10

from core.errors import DomainError

LENGTH: Final = 12
SERIALS: Final = range(1, 90_000_000)
_BRANCHES: Final = range(100, 1000)
_PLACES: Final = range(10_000)
USER_ID_LENGTH: Final = 11
LEAST_USER_ID: Final = 10 ** (USER_ID_LENGTH - 1)


class InvalidUserId(DomainError):
    """A text is no user ID: mistyped, most likely."""

    code = "invalid_user_id"


class InvalidAccountNumber(DomainError):
    """A text is no account number: mistyped, most likely."""

    code = "invalid_account_number"


def account_number(*, branch: int, serial: int) -> int:
    """Return the number of a customer's account at a branch.

    Raises:
        ValueError: the branch's number or the serial is out of range.
    """
    if branch not in _BRANCHES or serial not in SERIALS:
        message = f"no account number for branch {branch}, serial {serial}"
        raise ValueError(message)
    return _with_check_digit(f"{branch}{serial:08}")


def bank_account_number(*, branch: int, currency: int, place: int) -> int:
    """Return the number of the bank's own account at a place of a branch's chart of accounts.

    ``currency`` is the ISO 4217 number.

    Raises:
        ValueError: a part is out of range.
    """
    if branch not in _BRANCHES or currency not in range(1000) or place not in _PLACES:
        message = f"no account number for branch {branch}, currency {currency}, place {place}"
        raise ValueError(message)
    return _with_check_digit(f"{branch}9{currency:03}{place:04}")


def parse_account_number(text: str, *, field: str = "account") -> int:
    """Read an account number; spaces and hyphens between digits are allowed.

    Raises:
        InvalidAccountNumber: naming the ``field`` at fault.
    """
    digits = text.strip().replace(" ", "").replace("-", "")
    if len(digits) != LENGTH or not (digits.isascii() and digits.isdigit()):
        message = _("An account number has %(digits)s digits.") % {"digits": LENGTH}
        raise InvalidAccountNumber(message, field=field)
    try:
        mod_11_10.validate(digits)
    except ValidationError:
        message = _("This is no account number; please check its digits.")
        raise InvalidAccountNumber(message, field=field) from None
    return int(digits)


def parse_user_id(text: str, *, field: str = "user_id") -> int:
    """Read a user ID; spaces and hyphens between digits are allowed.

    Raises:
        InvalidUserId: naming the ``field`` at fault.
    """
    digits = text.strip().replace(" ", "").replace("-", "")
    if len(digits) != USER_ID_LENGTH or not (digits.isascii() and digits.isdigit()):
        message = _("A user ID has %(digits)s digits.") % {"digits": USER_ID_LENGTH}
        raise InvalidUserId(message, field=field)
    if not mod_11_10.is_valid(digits):
        message = _("This is no user ID; please check its digits.")
        raise InvalidUserId(message, field=field)
    return int(digits)


def shown_user_id(number: int) -> str:
    """Return a user ID as people read it: branch, serial, check digit."""
    digits = str(number)
    return f"{digits[:3]}-{digits[3:-1]}-{digits[-1]}"


def is_bank_account(number: int) -> bool:
    """Tell whether an account number is one of the bank's own, by its serial."""
    return number // 10 % 10**8 >= SERIALS.stop


def _with_check_digit(digits: str) -> int:
    return int(digits + mod_11_10.calc_check_digit(digits))
