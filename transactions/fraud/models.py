"""Fraud alerts, at the head office only."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.audit import audited
from accounts.reasons import LONGEST_REASON
from transactions.fraud.findings import Rule


class AlertState(models.TextChoices):
    """What is thought of an alert. Those that are dismissed or confirmed are so for good."""

    OPEN = "open", _("open")
    WATCHED = "watched", _("being watched")
    DISMISSED = "dismissed", _("dismissed")
    CONFIRMED = "confirmed", _("confirmed")


UNDECIDED = (AlertState.OPEN, AlertState.WATCHED)


@audited()
class FraudAlert(models.Model):
    """What a rule found about an account or a person, and what somebody decided about it.

    The table is partitioned by month: ``id`` begins with the time, and its rest is made of what is
    told once, so that the same alert has the same id. ``facts`` are what the sentence is made of.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    rule = models.CharField(_("rule"), max_length=16, choices=Rule)
    account = models.BigIntegerField(_("account"), null=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("person"),
    )
    facts = models.JSONField()
    transfers = ArrayField(models.UUIDField(), default=list)
    happened_at = models.DateTimeField(_("happened"))
    raised_at = models.DateTimeField(_("raised"))
    state = models.CharField(_("state"), max_length=10, choices=AlertState, default=AlertState.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    reason = models.CharField(_("reason"), max_length=LONGEST_REASON, blank=True)

    class Meta:
        """The latest first; those that wait are found at once."""

        verbose_name = _("fraud alert")
        verbose_name_plural = _("fraud alerts")
        ordering: ClassVar = ["-raised_at", "-id"]
        default_permissions = ("view",)
        permissions: ClassVar = [("decide_fraudalert", _("Can decide about fraud alerts"))]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(account__isnull=False) | models.Q(person__isnull=False),
                name="fraud_alert_is_about_somebody",
            ),
            models.CheckConstraint(
                condition=models.Q(state="open", decided_at__isnull=True)
                | ~models.Q(state="open") & models.Q(decided_at__isnull=False),
                name="fraud_alert_decided_by_state",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-raised_at", "-id"], name="fraud_alert_newest"),
            models.Index(
                fields=["state"],
                condition=models.Q(state__in=["open", "watched"]),
                name="fraud_alert_waiting",
            ),
            models.Index(fields=["account"], name="fraud_alert_of_account"),
            models.Index(fields=["person"], name="fraud_alert_of_person"),
        ]

    def __str__(self) -> str:
        """Name the rule."""
        return str(self.get_rule_display())


class LogInsWatched(models.Model):
    """Until when log-ins have been looked at: one row."""

    until = models.DateTimeField()

    class Meta:
        """Nobody sees it."""

        default_permissions = ()

    def __str__(self) -> str:
        """Show the instant."""
        return f"{self.until:%F %T}"
