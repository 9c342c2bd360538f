"""What went wrong with a message, in a word that the delivery log has."""

from dataclasses import dataclass
from smtplib import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPRecipientsRefused,
    SMTPServerDisconnected,
)
from typing import Final

from notifications.channels.sms import SmsNotSentError

UNREACHABLE: Final = "unreachable"
REFUSED_FOR_NOW: Final = "refused_for_now"
REFUSED: Final = "refused"
MAY_HAVE_LEFT: Final = "no_answer"
NOT_WORDED: Final = "not_worded"
INTERRUPTED: Final = "interrupted"
_PERMANENT: Final = range(500, 600)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message was not taken; ``is_final``: it never will be."""

    code: str
    detail: str
    is_final: bool = False


def failure_of(error: Exception) -> Failure:
    """Return what an error of a mail server or of the SMS provider means for the message."""
    if isinstance(error, SmsNotSentError):
        return Failure(error.code, str(error), error.is_final)
    if isinstance(error, SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        return _answered(code, text, is_final=code in _PERMANENT)
    if isinstance(error, SMTPDataError):
        is_final = error.smtp_code in _PERMANENT
        return _answered(error.smtp_code, error.smtp_error, is_final=is_final)
    return Failure(_code_of(error), _told_by(error))


def _code_of(error: Exception) -> str:
    if isinstance(error, SMTPServerDisconnected | TimeoutError):
        return MAY_HAVE_LEFT
    return UNREACHABLE if isinstance(error, OSError) else NOT_WORDED


def _told_by(error: Exception) -> str:
    if isinstance(error, SMTPAuthenticationError):
        # Servers may repeat in their answer what was tried.
        return f"{error.smtp_code}: the bank may not log in there"
    return f"{type(error).__name__}: {error}"


def _answered(code: int, text: str | bytes, *, is_final: bool) -> Failure:
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return Failure(REFUSED if is_final else REFUSED_FOR_NOW, f"{code} {words}", is_final)
