"""Which passwords are too well known: NIST SP 800-63B-4 asks for such a list, not for odd signs."""

from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Of the best attack that is known, which tries common passwords, names, words, dates, rows of keys
# and repetitions first, and puts them together.
LEAST_GUESSES: Final = 10**10
# What comes after makes a password only better, and the estimate slow.
_LONGEST: Final = 40


class GuessableValidator:
    """Refuse passwords that would be guessed early, as ``passwordpassword1`` is.

    A list of known passwords hardly has any of fifteen characters; what they are made of, zxcvbn
    knows.
    """

    def validate(self, password: str, user: Any = None) -> None:
        """Check a password.

        Raises:
            ValidationError: it would be guessed early.
        """
        # Its lists take a while to read, and most processes never need them.
        from zxcvbn import zxcvbn

        found = zxcvbn(password[:_LONGEST], user_inputs=_names_of(user))
        if found["guesses"] < LEAST_GUESSES:
            message = _("This password would be guessed early. Take several words without a link.")
            raise ValidationError(message, code="password_guessable")

    def get_help_text(self) -> str:
        """Say what is asked for."""
        return _("Your password must not be easy to guess, as known words and rows of keys are.")


def _names_of(user: Any) -> list[str]:
    """Return what somebody who knows a person would try first."""
    email, name = getattr(user, "email", None) or "", getattr(user, "full_name", None) or ""
    found = ["bankproject", email, email.partition("@")[0], *name.split(), "".join(name.split())]
    return [one for one in found if one]
