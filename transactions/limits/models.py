"""Limits that are to be raised. At the head office only."""

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.audit import audited


@audited()
class LimitRaise(models.Model):
    """A wish to raise a limit of an account, granted when it has cooled off.

    ``minor`` is the new limit in minor units; None lifts it.
    """

    class State(models.TextChoices):
        """How far it is. All but the first are for good."""

        COOLING = "cooling", _("cooling off")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")
        CANCELLED = "cancelled", _("cancelled")

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    account = models.BigIntegerField()
    limit = models.CharField(max_length=16)
    minor = models.BigIntegerField(null=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    asked_at = models.DateTimeField()
    applies_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.COOLING)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        """At most one under way for each limit of an account."""

        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "limit"],
                condition=models.Q(state="cooling"),
                name="limit_raise_one_under_way",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["applies_at"],
                condition=models.Q(state="cooling"),
                name="limit_raise_due",
            ),
        ]

    def __str__(self) -> str:
        """Say which limit of which account."""
        return f"{self.limit} of {self.account}"
