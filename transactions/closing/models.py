"""The bank's days that are closed, and what was done for each. At the head office only."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class BankDay(models.Model):
    """A day of the bank that is being closed, or closed: then nothing more is done for it.

    ``position`` is what the bank held when it was closed, as `manage.py position --json` shows it.
    """

    day = models.DateField(_("day"), primary_key=True)
    begun_at = models.DateTimeField(_("begun"))
    closed_at = models.DateTimeField(_("closed"), null=True)
    position = models.JSONField(_("position"), null=True)

    class Meta:
        """The latest first."""

        verbose_name = _("day")
        verbose_name_plural = _("days closed")
        ordering: ClassVar = ["-day"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(closed_at__isnull=True) | models.Q(position__isnull=False),
                name="bank_day_closed_has_position",
            ),
        ]

    def __str__(self) -> str:
        """Show the date."""
        return f"{self.day:%F}"


class ClosingStep(models.Model):
    """A step of closing a day that is done.

    ``items`` counts what it made, ``amounts`` adds that up in minor units by currency, and
    ``left_out`` counts what could not be made, by reason.
    """

    day = models.ForeignKey(BankDay, models.PROTECT, related_name="steps")
    name = models.CharField(_("step"), max_length=24)
    items = models.BigIntegerField(_("items"))
    amounts = models.JSONField(_("amounts"), default=dict)
    left_out = models.JSONField(_("left out"), default=dict)
    finished_at = models.DateTimeField(_("finished"))

    class Meta:
        """In the order in which they were done; each of a day once."""

        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["day", "name"], name="closing_step_once"),
        ]

    def __str__(self) -> str:
        """Show the date and the step."""
        return f"{self.day_id:%F} {self.name}"
