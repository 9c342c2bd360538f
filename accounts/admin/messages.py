"""The delivery log in the Django admin: what left the bank, what did not, and sending it again."""

from collections.abc import Collection
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, ngettext

from accounts.access_log import note_all_viewed
from accounts.admin.look import BankInline
from accounts.admin.noted import NotedAdmin
from accounts.admin.readonly import ReadOnlyAdmin
from core import clock
from notifications.messages.models import Message, MessageAttempt
from notifications.messages.queue import retry_dead

RETRY = "notifications.retry_message"


class MessageAttemptInline(BankInline):
    """What was tried."""

    model = MessageAttempt
    fields = readonly_fields = ("at", "milliseconds", "failure", "detail")
    can_delete = False
    max_num = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  # Django passes it
        """Show it to those who may see messages."""
        return request.user.has_perm("notifications.view_message")


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin, NotedAdmin):
    """Messages with their attempts. What they say is between the bank and their receivers."""

    one = "message"
    many = "list of messages"
    list_display = ("created_at", "kind", "channel", "person", "state", "tries", "sent_at")
    list_filter = ("state", "channel", "kind", "created_at")
    list_select_related: ClassVar = ("person",)
    search_fields = ("person__full_name", "person__email")
    fields = (
        *("id", "kind", "channel", "person", "state", "tries"),
        *("next_attempt_at", "created_at", "sent_at"),
    )
    inlines: ClassVar = [MessageAttemptInline]
    actions = ("retry",)
    show_full_result_count = False

    def note_look(self, request: HttpRequest, rows: Collection[Any], *, what: str) -> None:
        """Note the look for those whom the messages are for."""
        subjects = {row.person_id for row in rows if row.person_id is not None}
        note_all_viewed(viewer=int(request.user.pk or 0), subjects=subjects, what=what)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person may let messages be sent again."""
        return request.user.has_perm(RETRY)

    @admin.action(description=gettext_lazy("Send again"), permissions=["retry"])
    def retry(self, request: HttpRequest, chosen: QuerySet[Message]) -> None:
        """Let the chosen messages that were given up be sent again."""
        count = retry_dead(chosen, now=clock.now())
        words = ngettext("%d message is sent again.", "%d messages are sent again.", count)
        messages.success(request, words % count)
