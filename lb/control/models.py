"""Backends, what all of them are balanced by, and every change of both."""

from typing import ClassVar, Final
from uuid import uuid4

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from lb import snapshot

MOST_ALLOWED: Final = 1_000_000
"""The highest limit of what one client may ask."""


class BackendState(models.TextChoices):
    """How far a backend has come, in the order in which it comes there."""

    REGISTERED = "registered", _("registered")
    CHECKING = "checking", _("checking")
    WARMING = "warming", _("warming up")
    READY = "ready", _("ready")
    DRAINING = "draining", _("draining")
    REMOVED = "removed", _("removed")


class Policy(models.TextChoices):
    """How the backend of a request is chosen, by the names that the data planes know."""

    HYBRID = snapshot.Policy.HYBRID.value, _("hybrid")
    ROUND_ROBIN = snapshot.Policy.ROUND_ROBIN.value, _("round robin")
    LEAST_CONNECTIONS = snapshot.Policy.LEAST_CONNECTIONS.value, _("least connections")
    LEAST_REQUEST = snapshot.Policy.LEAST_REQUEST.value, _("least requests of two")
    PEAK_EWMA = snapshot.Policy.PEAK_EWMA.value, _("peak EWMA")
    RANDOM = snapshot.Policy.RANDOM.value, _("random")


class Backend(models.Model):
    """A server that answers requests.

    ``heartbeat_at`` is None for one that an admin answers for: it never vanishes by silence.
    ``is_up`` is what the last health checks said, None before they said anything.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=64)
    host = models.GenericIPAddressField()
    port = models.PositiveIntegerField()
    weight = models.PositiveSmallIntegerField(default=100)
    zone = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=10, choices=BackendState, default=BackendState.REGISTERED)
    state_since = models.DateTimeField()
    is_up = models.BooleanField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    registered_at = models.DateTimeField()

    class Meta:
        """A name and an address once, among those that are not removed."""

        verbose_name = _("backend")
        verbose_name_plural = _("backends")
        ordering: ClassVar = ["name", "registered_at"]
        default_permissions = ("view",)
        permissions: ClassVar = [("govern_backend", "Can add, change and drain backends")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["name"], name="backend_name_unique", condition=~Q(state="removed")
            ),
            models.UniqueConstraint(
                fields=["host", "port"],
                name="backend_address_unique",
                condition=~Q(state="removed"),
            ),
        ]

    def __str__(self) -> str:
        """Show the name."""
        return self.name

    @property
    def place(self) -> str:
        """Return host and port as one text."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Balancing(models.Model):
    """The one row by which all backends are balanced. Who changes anything locks it first.

    ``version`` is that of the snapshot: each change makes a higher one. ``requests_per_second``
    and ``burst`` are what one client may ask; both are None where nothing limits it.
    """

    version = models.PositiveBigIntegerField(default=1)
    policy = models.CharField(max_length=20, choices=Policy, default=Policy.HYBRID)
    requests_per_second = models.PositiveIntegerField(null=True)
    burst = models.PositiveIntegerField(null=True)

    class Meta:
        """There is one."""

        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(pk=1), name="balancing_is_one"),
            models.CheckConstraint(
                condition=Q(requests_per_second__isnull=True, burst__isnull=True)
                | Q(
                    requests_per_second__range=(1, MOST_ALLOWED),
                    burst__range=(1, MOST_ALLOWED),
                ),
                name="balancing_rate_limit_is_whole",
            ),
        ]

    def __str__(self) -> str:
        """Show version and policy."""
        return f"{self.version} {self.policy}"


class BackendEvent(models.Model):
    """A change: of a backend, or, where there is none, of how all are balanced. Never changed.

    ``changes`` has what was and what is, by the field's name. Without an actor it was the bank
    itself, for the reason that is noted.
    """

    version = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    backend = models.ForeignKey(Backend, models.PROTECT, null=True, related_name="events")
    changes = models.JSONField()
    reason = models.CharField(max_length=200, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        """Newest first."""

        verbose_name = _("event of a backend")
        verbose_name_plural = _("events of backends")
        ordering: ClassVar = ["-id"]
        default_permissions = ("view",)
        triggers: ClassVar = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        """Name the fields that changed."""
        return ", ".join(self.changes)
