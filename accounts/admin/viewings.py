"""Who looked at whom, and how people stood, in the Django admin."""

from collections.abc import Collection
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts.access_log import note_all_viewed
from accounts.admin.noted import NotedAdmin
from accounts.admin.readonly import ReadOnlyAdmin
from accounts.models import StatusChange, Viewing


class LookedAt(admin.SimpleListFilter):
    """What was looked at, in the reader's language; it is noted in English."""

    title = gettext_lazy("what")
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:  # noqa: ARG002  # Django passes them
        """Return everything that was looked at by now."""
        noted = Viewing.objects.order_by("what").values_list("what", flat=True).distinct()
        return [(what, str(Viewing(what=what))) for what in noted]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Viewing]) -> QuerySet[Viewing]:  # noqa: ARG002  # Django passes it
        """Return the looks at what was chosen."""
        return queryset if self.value() is None else queryset.filter(what=self.value())


@admin.register(Viewing)
class ViewingAdmin(ReadOnlyAdmin, NotedAdmin):
    """Looks of staff at customers' data, which is a look at them as well."""

    list_display = ("viewed_at", "viewer", "subject", "looked_at", "reason")
    list_filter = ("viewed_at", LookedAt)
    list_select_related: ClassVar = ("viewer", "subject")
    search_fields = ("viewer__full_name", "subject__full_name")
    show_full_result_count = False

    one = many = "log of looks"

    @admin.display(description=gettext_lazy("what"), ordering="what")
    def looked_at(self, viewing: Viewing) -> str:
        """Say what was looked at."""
        return str(viewing)

    def note_look(self, request: HttpRequest, rows: Collection[Viewing], *, what: str) -> None:
        """Note the look for those who were looked at."""
        subjects = {row.subject_id for row in rows}
        note_all_viewed(viewer=int(request.user.pk or 0), subjects=subjects, what=what)


@admin.register(StatusChange)
class StatusChangeAdmin(ReadOnlyAdmin, NotedAdmin):
    """Who was suspended, let in again or closed; they are told who looked."""

    list_display = ("changed_at", "person", "status", "reason", "changed_by")
    list_filter = ("status", "changed_at")
    list_select_related: ClassVar = ("person", "changed_by")
    search_fields = ("person__full_name",)

    one = many = "changes of status"

    def note_look(self, request: HttpRequest, rows: Collection[StatusChange], *, what: str) -> None:
        """Note the look for the people."""
        subjects = {row.person_id for row in rows}
        note_all_viewed(viewer=int(request.user.pk or 0), subjects=subjects, what=what)
