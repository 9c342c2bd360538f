"""What people are told of, how each wants it told, and what is in their inbox."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class NoticeKind(models.TextChoices):
    """What people are told of."""

    LOG_IN = "log_in", _("Log-ins")
    SECURITY = "security", _("Changes of how you log in, of keys and of your data")
    MONEY_OUT = "money_out", _("Money that leaves an account")
    MONEY_IN = "money_in", _("Money that comes to an account")
    LOW_BALANCE = "low_balance", _("A balance that falls below an amount")
    STANDING_ORDER_FAILED = (
        "standing_order_failed",
        _("A standing order that could not be carried out"),
    )
    PAYEE_ADDED = "payee_added", _("A new payee")
    STATUS_CHANGED = "status_changed", _("An account that is frozen, opened or closed")
    CARD_CHANGED = "card_changed", _("A card that is issued, activated, frozen or blocked")
    CARD_DECLINED = "card_declined", _("A card payment that is declined")
    DISPUTE = "dispute", _("An answer to a movement that you disputed")
    LOAN = "loan", _("An instalment of a loan that is due soon, or late")


class Notice(models.Model):
    """Something that happened, as one person is told of it; the same is recorded once."""

    id = models.UUIDField(primary_key=True, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=24)
    data = models.JSONField(default=dict)
    in_inbox = models.BooleanField()
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        """A person's inbox, newest first, and how many in it are unread."""

        ordering: ClassVar = ["-occurred_at", "-id"]
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(
                fields=["person", "-occurred_at", "-id"],
                name="notice_inbox",
                condition=Q(in_inbox=True),
            ),
            models.Index(
                fields=["person"],
                name="notice_unread",
                condition=Q(in_inbox=True, read_at__isnull=True),
            ),
            models.Index(fields=["recorded_at"], name="notice_recorded_at"),
        ]

    def __str__(self) -> str:
        """Say what it is about."""
        return str(NoticeKind(self.kind).label)


class Choice(models.Model):
    """How a person wants one kind told, where it differs from what the bank does by itself.

    ``threshold`` is in minor units of the bank's currency. ``every_time`` is of log-ins: those from
    a known device at a known address, too.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=24)
    email = models.BooleanField()
    sms = models.BooleanField()
    inbox = models.BooleanField()
    threshold = models.BigIntegerField(null=True)
    every_time = models.BooleanField(default=False)

    class Meta:
        """One for each kind; those who want money told are found at once."""

        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "kind"], name="choice_of_kind_unique"),
            models.CheckConstraint(
                condition=Q(threshold__isnull=True) | Q(threshold__gte=0),
                name="choice_threshold_not_negative",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["kind"], name="choice_by_kind")]

    def __str__(self) -> str:
        """Name the kind."""
        return str(NoticeKind(self.kind).label)


class Phone(models.Model):
    """A number that a person has shown to be theirs, or is about to: by a code that was sent to it.

    The code is kept as a keyed digest, since six digits are soon guessed.
    """

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+"
    )
    number = models.CharField(max_length=16)
    code_digest = models.CharField(max_length=64, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    code_sent_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)

    class Meta:
        """Nobody else sees it."""

        default_permissions = ()

    def __str__(self) -> str:
        """Show the number's end."""
        return f"…{self.number[-4:]}"
