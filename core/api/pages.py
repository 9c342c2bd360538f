"""Pages of listings: how many entries, and where the next begins. Nothing is counted."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from core.api.serializers import StrictSerializer, TextField
from core.cursors import cursor_for, read_cursor
from core.errors import DomainError

MOST_ENTRIES: Final = 100
USUAL_ENTRIES: Final = 50
_LIMIT: Final = re.compile(r"[0-9]{1,3}", re.ASCII)

_Entry = TypeVar("_Entry")


class InvalidLimit(DomainError):
    """A page of a listing cannot have this size."""

    code = "invalid_limit"
    http_status = 400


class LimitField(TextField):
    """How many entries a page has at most."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number.

        Raises:
            InvalidLimit
        """
        if not _LIMIT.fullmatch(data) or int(data) not in range(1, MOST_ENTRIES + 1):
            message = f"A page has 1 to {MOST_ENTRIES} entries."
            raise InvalidLimit(message)
        return int(data)

    def json_schema(self) -> dict[str, Any]:
        """Describe the field."""
        bounds = {"minimum": 1, "maximum": MOST_ENTRIES, "default": USUAL_ENTRIES}
        return {"type": "integer", **bounds}


class PageFilters(StrictSerializer):
    """What every listing can be asked: inherit from it and add the listing's own filters."""

    limit = LimitField(required=False, default=USUAL_ENTRIES, help_text="Entries on a page.")
    cursor = TextField(required=False, help_text="`next_cursor` of the page before this one.")


PAGING: Final = frozenset(PageFilters().fields)
"""Parameters that say which page is wanted, not what is listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The page that a caller asks for: ``size`` entries of ``listing``, those after ``after``."""

    listing: str
    size: int
    after: list[Any] | None

    @property
    def sought(self) -> int:
        """How many entries to look up: one more than are shown tells whether there are more."""
        return self.size + 1

    def shown(self, found: Sequence[_Entry]) -> Sequence[_Entry]:
        """Return those of up to ``sought`` entries that the page shows."""
        return found[: self.size]

    def answer(
        self,
        name: str,
        found: Sequence[_Entry],
        *,
        show: Callable[[_Entry], Any],
        position: Callable[[_Entry], list[Any]],
    ) -> dict[str, Any]:
        """Return the answer's members: the entries under ``name``, and whether there are more.

        ``found`` are up to ``sought`` entries; ``position`` is what the next page needs to know of
        its last: values that JSON can hold.
        """
        shown = self.shown(found)
        more = len(found) > self.size
        members = {name: [show(entry) for entry in shown], "has_more": more}
        if more:
            members["next_cursor"] = cursor_for(self.listing, position(shown[-1]))
        return members


def page_of(listing: str, filtered: Mapping[str, Any]) -> Page:
    """Return the page that checked filters ask for.

    Raises:
        InvalidCursor
    """
    cursor = filtered.get("cursor")
    return Page(
        listing=listing,
        size=filtered["limit"],
        after=None if cursor is None else read_cursor(cursor, listing=listing),
    )
