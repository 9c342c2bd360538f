"""The bank's holidays. At the head office only."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Branch


class Holiday(models.Model):
    """A day on which a branch, or without one the whole bank, does not work.

    It is never changed or deleted, but withdrawn: so the calendar of any instant can be told.
    """

    day = models.DateField(_("day"))
    branch = models.ForeignKey(
        Branch, models.PROTECT, null=True, blank=True, verbose_name=_("branch")
    )
    name = models.CharField(_("name"), max_length=60)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    added_at = models.DateTimeField(_("added"))
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)

    class Meta:
        """The next ones first; each day of a branch once."""

        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        ordering: ClassVar = ["-day", "branch"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["day", "branch"],
                condition=models.Q(withdrawn_at__isnull=True),
                nulls_distinct=False,
                name="holiday_once",
            ),
        ]

    def __str__(self) -> str:
        """Show the day and its name."""
        return f"{self.day:%F} {self.name}"
