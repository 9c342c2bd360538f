"""The audit in the Django admin: what was changed about people and settings, and who did it."""

from collections.abc import Collection, Iterator
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from pghistory.admin import EventsAdmin

from accounts.access_log import note_accounts_viewed, note_all_viewed
from accounts.admin.noted import NotedAdmin
from accounts.models.audit_entries import AuditEntry

_PAGE: Final = 50
_PERSON: Final = "accounts.User"
_ACCOUNT: Final = "accounts.Account"
_TOLD: Final = ("at", "by", "what", "which", "done", "changes", "reason", "credential")


@admin.register(AuditEntry)
class AuditAdmin(NotedAdmin, EventsAdmin):
    """Changes, newest first: of one object, or of all of a kind. Whom they are about is told."""

    list_display = fields = readonly_fields = _TOLD
    list_select_related: ClassVar = ("by",)
    list_per_page = _PAGE
    show_full_result_count = False
    change_list_template = "admin/change_list.html"
    one = many = "audit"

    def get_list_display(self, request: HttpRequest) -> Any:  # noqa: ARG002  # Django passes it
        """Return our own columns."""
        return self.list_display

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:  # noqa: ARG002  # Django passes it
        """Return all changes, newest first."""
        return AuditEntry.objects.order_by("-pgh_created_at")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show changes; of an object that there is not, nothing."""
        try:
            answer: HttpResponse = super().changelist_view(request, extra_context)
        except (ObjectDoesNotExist, ValueError) as error:
            raise Http404 from error
        return answer

    def note_look(self, request: HttpRequest, rows: Collection[AuditEntry], *, what: str) -> None:
        """Note the look for the people whom changes are about, and who hold the accounts."""
        viewer = int(request.user.pk or 0)
        note_all_viewed(viewer=viewer, subjects={*_people_of(rows)}, what=what)
        accounts = {int(str(row.pgh_obj_id)) for row in rows if row.pgh_obj_model == _ACCOUNT}
        if accounts:
            note_accounts_viewed(viewer=viewer, numbers=accounts, what=what)

    @admin.display(description=_("when"), ordering="pgh_created_at")
    def at(self, entry: AuditEntry) -> str:
        """Return when it was changed: the page of one shows what is no text as Python writes it."""
        return date_format(localtime(entry.pgh_created_at), "DATETIME_FORMAT")

    @admin.display(description=_("done"))
    def done(self, entry: AuditEntry) -> str:
        """Return whether it was added, changed or deleted."""
        return entry.pgh_label

    @admin.display(description=_("what"))
    def what(self, entry: AuditEntry) -> str:
        """Return which kind of thing was changed."""
        return str(entry.pgh_obj_model).rpartition(".")[2]

    @admin.display(description=_("which"))
    def which(self, entry: AuditEntry) -> str:
        """Return the key of what was changed."""
        return str(entry.pgh_obj_id or "")

    @admin.display(description=_("before and after"))
    def changes(self, entry: AuditEntry) -> str:
        """Return what each field was and is; of what was added or deleted, all it was."""
        if entry.pgh_label == "update" and entry.pgh_diff:
            return "; ".join(
                f"{name}: {_shown(before)} → {_shown(after)}"
                for name, (before, after) in sorted(entry.pgh_diff.items())
            )
        return "; ".join(
            f"{name}: {_shown(value)}" for name, value in sorted(entry.pgh_data.items()) if value
        )


def _people_of(rows: Collection[AuditEntry]) -> Iterator[int]:
    for row in rows:
        if row.pgh_obj_model == _PERSON:
            yield int(str(row.pgh_obj_id))
        named = {**row.pgh_data, **(row.pgh_data.get("payload") or {})}
        yield from (
            named[name]
            for name in ("user_id", "person", "person_id")
            if isinstance(named.get(name), int)
        )


def _shown(value: Any) -> str:
    return "∅" if value in (None, "") else str(value)
