"""Texts that everybody reads the same way."""

import pytest

from core.text import InvalidText, one_line

NO_MEMOS = {
    "rent\0": "text_has_null",
    "two\nlines": "text_has_control",
    "bell\a": "text_has_control",
    "next\u2028line": "text_has_control",
    "\u202etner": "text_has_format",
    "\u2066rent\u2069": "text_has_format",
    "re\u200bnt": "text_has_format",
    "re\u200dnt": "text_has_format",
    "x" * 141: "text_too_long",
}


@pytest.mark.parametrize(
    "text",
    [
        "Rent March",
        "क्\u200dष धन्यवाद",
        "धन्यवाद",
        "Žluťoučký kůň",
        "家賃",
        "🎂",
        "إيجار",
        "x" * 140,
        "",
    ],
)
def test_every_script_is_taken(text: str) -> None:
    assert one_line(f" {text} ", longest=140, field="memo") == text


@pytest.mark.parametrize(
    ("text", "code"),
    [*NO_MEMOS.items(), ("half \ud83d", "text_has_surrogate"), ("\ufffd", "text_unreadable")],
)
def test_what_hides_or_breaks_is_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidText) as caught:
        one_line(text, longest=140, field="memo")
    assert (caught.value.code, caught.value.field) == (code, "memo")
