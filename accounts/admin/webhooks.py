"""Webhooks in the Django admin: where events go, what came of it, and sending one again."""

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
from core.errors import DomainError
from notifications.webhooks.deliveries import redeliver
from notifications.webhooks.models import Attempt, Delivery, Endpoint

REDELIVER = "notifications.change_delivery"


class _OwnedAdmin(ReadOnlyAdmin, NotedAdmin):
    """Rows of webhooks, and whose they are."""

    one = "webhook"
    many = "list of webhooks"

    def note_look(self, request: HttpRequest, rows: Collection[Any], *, what: str) -> None:
        """Note the look for the owners."""
        subjects = {self.owner_of(row) for row in rows}
        note_all_viewed(viewer=int(request.user.pk or 0), subjects=subjects, what=what)

    @staticmethod
    def owner_of(row: Any) -> int:
        """Return whose row it is."""
        raise NotImplementedError


@admin.register(Endpoint)
class EndpointAdmin(_OwnedAdmin):
    """Endpoints, without their secrets."""

    list_display = ("url", "owner", "state", "failing_since", "created_at")
    list_filter = ("state", "created_at")
    list_select_related: ClassVar = ("owner",)
    search_fields = ("url", "owner__full_name", "owner__email")
    fields = ("url", "owner", "event_types", "state", "failing_since", "created_at")

    @staticmethod
    def owner_of(row: Endpoint) -> int:
        """Return whose endpoint it is."""
        return row.owner_id


class AttemptInline(BankInline):
    """What was tried."""

    model = Attempt
    fields = readonly_fields = ("at", "milliseconds", "status", "failure", "excerpt")
    can_delete = False
    max_num = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  # Django passes it
        """Show it to those who may see deliveries."""
        return request.user.has_perm("notifications.view_delivery")


@admin.register(Delivery)
class DeliveryAdmin(_OwnedAdmin):
    """Deliveries with their attempts. What the events say is between the bank and their owners."""

    list_display = ("created_at", "event", "endpoint", "owner", "state", "next_attempt_at")
    list_filter = ("state", "event__type", "created_at")
    list_select_related: ClassVar = ("event", "endpoint__owner")
    search_fields = ("endpoint__url", "endpoint__owner__full_name")
    fields = ("id", "event", "endpoint", "owner", "state", "next_attempt_at", "created_at")
    inlines: ClassVar = [AttemptInline]
    actions = ("redeliver",)
    show_full_result_count = False

    @admin.display(description=gettext_lazy("owner"), ordering="endpoint__owner__full_name")
    def owner(self, delivery: Delivery) -> str:
        """Name the person who is told."""
        return str(delivery.endpoint.owner)

    @staticmethod
    def owner_of(row: Delivery) -> int:
        """Return who is told."""
        return row.endpoint.owner_id

    def has_redeliver_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person may send anything again."""
        return request.user.has_perm(REDELIVER)

    @admin.action(description=gettext_lazy("Send again"), permissions=["redeliver"])
    def redeliver(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        """Send the chosen deliveries again, or now."""
        sent = 0
        for delivery in chosen.select_related("endpoint"):
            try:
                redeliver(delivery.endpoint.owner_id, delivery_id=delivery.pk, now=clock.now())
            except DomainError as error:
                messages.error(request, f"{delivery.endpoint}: {error.message}")
            else:
                sent += 1
        if sent:
            words = ngettext("%d delivery is sent again.", "%d deliveries are sent again.", sent)
            messages.success(request, words % sent)
