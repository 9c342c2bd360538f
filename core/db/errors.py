"""What the database's errors mean: by SQLSTATE or constraint name, never by text."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from django.utils.translation import gettext as _
from psycopg import errors

from core.errors import DomainError


class Busy(DomainError):
    """The bank could not get to it in time; the same request may be sent again."""

    code = "busy"
    http_status = 503


class BadText(DomainError):
    """A text holds characters that cannot be stored."""

    code = "invalid_text"


_PASSING: Final = (
    errors.LockNotAvailable,
    errors.DeadlockDetected,
    errors.SerializationFailure,
    errors.QueryCanceled,
    errors.TooManyConnections,
    errors.AdminShutdown,
    errors.CannotConnectNow,
)
_UNSTORABLE: Final = (
    None,
    errors.CharacterNotInRepertoire.sqlstate,
    errors.UntranslatableCharacter.sqlstate,
)


@contextmanager
def passing_errors_translated() -> Iterator[None]:
    """Turn what a second try may mend into ``Busy``, and unstorable text into ``BadText``."""
    try:
        yield
    except _PASSING as error:
        message = _("The bank is busy. Nothing was done; please try again.")
        raise Busy(message) from error
    except (errors.DataError, UnicodeEncodeError) as error:
        # Without a SQLSTATE it was never sent: psycopg could not, for a NUL.
        if getattr(error, "sqlstate", None) not in _UNSTORABLE:
            raise
        message = _("The text holds characters that cannot be stored.")
        raise BadText(message) from error


def constraint_of(error: psycopg.Error) -> str | None:
    """Return the name of the constraint that an error broke."""
    return error.diag.constraint_name
