"""Endpoints, the events for their owners, and every attempt to deliver one to the other.

PostgreSQL is the truth of all of it: a worker that dies leaves nothing that another does not find.
"""

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class EventType(models.TextChoices):
    """What is told."""

    TRANSFER_DEBITED = "transfer.debited", _("money left an account")
    TRANSFER_CREDITED = "transfer.credited", _("money came to an account")
    TRANSFER_REVERSED = "transfer.reversed", _("a transfer was reversed")
    HOLD_PLACED = "hold.placed", _("money was set aside")
    HOLD_CAPTURED = "hold.captured", _("a hold was paid")
    HOLD_RELEASED = "hold.released", _("a hold was released")
    HOLD_EXPIRED = "hold.expired", _("a hold expired")
    ACCOUNT_STATUS_CHANGED = "account.status_changed", _("an account was frozen, opened or closed")


TEST_EVENT = "webhook.test"
"""The event that an endpoint is sent when its owner asks for one."""


class EndpointState(models.TextChoices):
    """Whether an endpoint is sent anything, and if not, why."""

    ENABLED = "enabled", _("enabled")
    DISABLED = "disabled", _("disabled by its owner")
    GONE = "gone", _("disabled: it answered 410 Gone")
    FAILING = "failing", _("disabled: it failed for days")


class Endpoint(models.Model):
    """An address that a person wants told, and the secrets that its messages are signed with.

    The secrets are encrypted, see ``signing``. ``failing_since``: the first failure that no success
    has followed.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    url = models.CharField(max_length=2_000)
    event_types = ArrayField(models.CharField(max_length=40))
    state = models.CharField(max_length=8, choices=EndpointState, default=EndpointState.ENABLED)
    secret = models.BinaryField()
    former_secret = models.BinaryField(null=True)
    former_secret_until = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    is_owner_told = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        """An address once for each person."""

        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "url"], name="endpoint_owner_url_unique"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["state"], name="endpoint_owner_untold", condition=Q(is_owner_told=False)
            ),
        ]

    def __str__(self) -> str:
        """Show the address."""
        return self.url


class Event(models.Model):
    """Something that happened, as one person is told of it. Its id is the ``webhook-id``."""

    id = models.UUIDField(primary_key=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    type = models.CharField(max_length=40)
    occurred_at = models.DateTimeField()
    data = models.JSONField()
    recorded_at = models.DateTimeField()

    class Meta:
        """Found by age, to be forgotten."""

        indexes: ClassVar = [models.Index(fields=["recorded_at"], name="event_recorded_at")]

    def __str__(self) -> str:
        """Name the type."""
        return self.type


class DeliveryState(models.TextChoices):
    """How far a delivery has come."""

    PENDING = "pending", _("to be sent, or sent again")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("given up")


class Delivery(models.Model):
    """An event on its way to one endpoint.

    ``next_attempt_at`` is when it is due; while somebody tries, it lies ahead, so that it is due
    again when they die. ``tries`` counts who has taken it up.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=9, choices=DeliveryState, default=DeliveryState.PENDING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        """Found by what is due, and listed by endpoint, the newest first."""

        verbose_name_plural = "deliveries"
        indexes: ClassVar = [
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                name="delivery_due",
                condition=Q(state=DeliveryState.PENDING),
            ),
            models.Index(fields=["endpoint", "-created_at", "-id"], name="delivery_newest"),
        ]

    def __str__(self) -> str:
        """Show the id."""
        return str(self.id)


class Attempt(models.Model):
    """One try to deliver: the status that came back, or why none did."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True)
    failure = models.CharField(max_length=40, blank=True)
    excerpt = models.CharField(max_length=512, blank=True)

    class Meta:
        """In the order they were made."""

        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        """Show what came of it."""
        return self.failure or str(self.status)
