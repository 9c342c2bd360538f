"""What customers left with the bank. At the head office only."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.money import Money


class ScheduledTransfer(models.Model):
    """A transfer that is sent once, as soon as it can be.

    It is sent under its ``key``, so that trying again moves nothing twice. ``sending`` is between a
    try and its answer: should the process that tries end there, another one asks again.
    """

    class State(models.TextChoices):
        """How far it is. The last three are for good."""

        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("being sent")
        DONE = "done", _("sent")
        REFUSED = "refused", _("refused")
        CANCELLED = "cancelled", _("cancelled")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    key = models.CharField(max_length=255)
    debit = models.BigIntegerField()
    credit = models.BigIntegerField()
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    memo = models.CharField(max_length=140, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    not_before = models.DateTimeField()
    queued_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)
    transfer_id = models.UUIDField(null=True)

    class Meta:
        """Newest first; each key of a person once."""

        ordering: ClassVar = ["-queued_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "key"], name="scheduled_transfer_key"),
            models.CheckConstraint(
                condition=models.Q(amount__gt=0), name="scheduled_transfer_amount_is_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(state="done", transfer_id__isnull=False)
                | ~models.Q(state="done") & models.Q(transfer_id__isnull=True),
                name="scheduled_transfer_done_has_transfer",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["tried_at"],
                condition=models.Q(state__in=["waiting", "sending"]),
                name="scheduled_transfer_due",
            ),
        ]

    def __str__(self) -> str:
        """Say what is to be sent."""
        return f"{self.money} from {self.debit} to {self.credit}"

    @property
    def money(self) -> Money:
        """What is to be sent."""
        return Money(self.amount, self.currency)
