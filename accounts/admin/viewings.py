"""Who looked at whom, in the Django admin."""

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy

from accounts.admin.readonly import ReadOnlyAdmin
from accounts.models import StatusChange, Viewing


@admin.register(Viewing)
class ViewingAdmin(ReadOnlyAdmin):
    """Looks of staff at customers' data."""

    list_display = ("viewed_at", "viewer", "subject", "looked_at", "reason")
    list_filter = ("viewed_at", "what")
    list_select_related: ClassVar = ("viewer", "subject")
    search_fields = ("viewer__full_name", "subject__full_name")
    show_full_result_count = False

    @admin.display(description=gettext_lazy("what"), ordering="what")
    def looked_at(self, viewing: Viewing) -> str:
        """Say what was looked at."""
        return str(viewing)


@admin.register(StatusChange)
class StatusChangeAdmin(ReadOnlyAdmin):
    """Who was suspended, let in again or closed."""

    list_display = ("changed_at", "person", "status", "reason", "changed_by")
    list_filter = ("status", "changed_at")
    list_select_related: ClassVar = ("person", "changed_by")
    search_fields = ("person__full_name",)
