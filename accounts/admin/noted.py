"""What belongs to people in the Django admin: they are told who looked at it."""

from collections.abc import Collection
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse

from accounts.admin.look import BankAdmin


class NotedAdmin(BankAdmin):
    """Rows whose people are told who looked: at one of them, or at a page of many.

    ``one`` and ``many`` say at what.
    """

    one: ClassVar[str]
    many: ClassVar[str]

    def note_look(self, request: HttpRequest, rows: Collection[Any], *, what: str) -> None:
        """Note that the person of a request looks at rows.

        Raises:
            LookNotNoted
        """
        raise NotImplementedError

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any | None:
        """Return a row, and note the look: every page of one row asks here, however it is named."""
        found = super().get_object(request, object_id, from_field)
        if found is not None and self.has_view_permission(request, found):
            self.note_look(request, [found], what=self.one)
        return found

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a page of rows, and note the look."""
        answer = super().changelist_view(request, extra_context)
        shown = getattr(answer, "context_data", {}).get("cl")
        if shown is not None:
            self.note_look(request, list(shown.result_list), what=self.many)
        return answer
