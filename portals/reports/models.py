"""Reports that were made, and to whom each was sent. At the head office only."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class MonthlyReport(models.Model):
    """A month of the bank as it was reported: its figures never change again.

    ``as_of`` is up to when all that was recorded was on the copies that were read.
    """

    month = models.DateField(_("month"), primary_key=True)
    as_of = models.DateTimeField(_("as of"))
    made_at = models.DateTimeField(_("made"))
    figures = models.JSONField(_("figures"))

    class Meta:
        """The latest first."""

        ordering: ClassVar = ["-month"]
        default_permissions = ("view",)
        permissions: ClassVar = [("send_monthlyreport", "Can have monthly reports made and sent")]

    def __str__(self) -> str:
        """Write the month as ``2026-10``."""
        return f"{self.month:%Y-%m}"


class ReportMailing(models.Model):
    """That a report was mailed to a person: ``copy`` 0 by itself, later ones when asked for."""

    report = models.ForeignKey(MonthlyReport, models.PROTECT, related_name="mailings")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    copy = models.PositiveSmallIntegerField()
    queued_at = models.DateTimeField(_("sent"))

    class Meta:
        """In order; each copy once."""

        ordering: ClassVar = ["pk"]
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["report", "person", "copy"], name="report_mailed_once"),
        ]

    def __str__(self) -> str:
        """Name the report and the copy."""
        return f"{self.report_id:%Y-%m}, {self.copy}"
