"""Which texts of people the bank takes: what readers see alike and a database stores."""

import unicodedata
from typing import Final

from django.utils.translation import gettext as _

from core.errors import DomainError

_JOINERS: Final = "\u200c\u200d"
_VIRAMA: Final = 9
_FAULTS: Final = {
    "Cc": ("text_has_control", "The text holds a control character, such as a line break."),
    "Cf": (
        "text_has_format",
        "The text holds an invisible character that changes how it is read; please retype it.",
    ),
    "Cs": ("text_has_surrogate", "The text holds half of a character; please retype it."),
    "Zl": ("text_has_control", "The text holds a line break."),
    "Zp": ("text_has_control", "The text holds a line break."),
}


class InvalidText(DomainError):
    """A text is too long or holds characters the bank does not take."""

    code = "invalid_text"


def one_line(text: str, *, longest: int, field: str) -> str:
    """Return a line of text without the blanks around it.

    Raises:
        InvalidText: it is longer than ``longest`` characters, or holds NUL, controls, surrogates,
            or invisible characters such as those that turn the direction of writing.
    """
    line = text.strip(" ")
    if len(line) > longest:
        message = _("The text has %(characters)s characters; there is room for %(most)s.") % {
            "characters": len(line),
            "most": longest,
        }
        raise InvalidText(message, code="text_too_long", field=field)
    if line.isascii() and line.isprintable():
        return line
    before = ""
    for character in line:
        _check(character, before, field)
        before = character
    return line


def _check(character: str, before: str, field: str) -> None:
    if character == "\0":
        message = _("The text holds a NUL character.")
        raise InvalidText(message, code="text_has_null", field=field)
    if character == "\N{REPLACEMENT CHARACTER}":
        message = _("A part of the text could not be read; please retype it.")
        raise InvalidText(message, code="text_unreadable", field=field)
    # Indic scripts need joiners, after a virama; elsewhere they only hide.
    if character in _JOINERS and before and unicodedata.combining(before) == _VIRAMA:
        return
    fault = _FAULTS.get(unicodedata.category(character))
    if fault is not None:
        code, message = fault
        raise InvalidText(message, code=code, field=field)
