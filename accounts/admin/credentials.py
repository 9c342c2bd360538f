"""Changes of passwords, addresses, second factors and API keys, in the Django admin."""

from collections.abc import Collection
from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest

from accounts.access_log import note_all_viewed
from accounts.admin.noted import NotedAdmin
from accounts.admin.readonly import ReadOnlyAdmin
from accounts.models import CredentialChange


@admin.register(CredentialChange)
class CredentialChangeAdmin(ReadOnlyAdmin, NotedAdmin):
    """Who changed what people show who they are by; they are told who looked."""

    list_display = ("changed_at", "person", "what", "detail", "by", "address", "device")
    list_filter = ("what", "changed_at")
    list_select_related: ClassVar = ("person", "by")
    search_fields = ("person__full_name", "person__email")
    show_full_result_count = False

    one = many = "changes of access"

    def note_look(
        self, request: HttpRequest, rows: Collection[CredentialChange], *, what: str
    ) -> None:
        """Note the look for the people whose access it is."""
        subjects = [row.person_id for row in rows]
        note_all_viewed(viewer=int(request.user.pk or 0), subjects=subjects, what=what)
