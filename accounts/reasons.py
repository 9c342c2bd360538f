"""Why something was done, in the words of who did it."""

from typing import Final

from django.utils.translation import gettext as _

from core.text import InvalidText, one_line

LONGEST_REASON: Final = 200


def given_reason(text: str) -> str:
    """Return a reason as one line.

    Raises:
        InvalidText: it is empty, too long, or holds what not everybody could read.
    """
    reason = one_line(text, longest=LONGEST_REASON, field="reason")
    if not reason:
        message = _("Please say why.")
        raise InvalidText(message, code="reason_missing", field="reason")
    return reason
