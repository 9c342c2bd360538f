"""Pages of listings and their cursors: opaque, signed, and good for one listing."""

import pytest

from core.api.pages import Page, page_of
from core.cursors import InvalidCursor, cursor_for, read_cursor

EVENS = list(range(0, 20, 2))


def page(size: int, after: int | None = None) -> tuple[Page, list[int]]:
    """Return a page of the even numbers, and what was found for it."""
    asked = Page(listing="evens", size=size, after=None if after is None else [after])
    return asked, [one for one in EVENS if after is None or one > after][: asked.sought]


def test_a_listing_is_read_to_its_end_page_by_page() -> None:
    seen: list[int] = []
    after = None
    while True:
        asked, found = page(4, after)
        answer = asked.answer("evens", found, show=lambda one: one, position=lambda one: [one])
        seen += answer["evens"]
        if not answer["has_more"]:
            break
        (after,) = read_cursor(answer["next_cursor"], listing="evens")
    assert seen == EVENS
    assert "next_cursor" not in answer


def test_a_page_that_just_holds_the_rest_is_the_last() -> None:
    asked, found = page(10)
    answer = asked.answer("evens", found, show=str, position=lambda one: [one])
    assert (len(answer["evens"]), answer["has_more"]) == (10, False)


def test_an_empty_listing_is_an_empty_list() -> None:
    asked = Page(listing="evens", size=4, after=None)
    empty: list[int] = []
    assert asked.answer("evens", empty, show=str, position=lambda one: [one]) == {
        "evens": [],
        "has_more": False,
    }


@pytest.mark.parametrize(
    "text",
    [
        cursor_for("odds", [3]),
        cursor_for("evens", [3])[:-1],
        cursor_for("evens", [3]).replace(":", "", 1),
        "a\0b",
        "",
        "\u202e",
        "x" * 5000,
    ],
    ids=["other listing", "cut", "changed", "NUL", "empty", "direction override", "long"],
)
def test_a_cursor_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        page_of("evens", {"cursor": text, "limit": 5})
