"""What customers left with the bank. At the head office only."""

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.money import Money


class Payee(models.Model):
    """An account that a person pays now and then, under a name of their own.

    ``name`` is the owner's, shortened, as the person confirmed it.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    account = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    nickname = models.CharField(max_length=40)
    name = models.CharField(max_length=120, blank=True)
    added_at = models.DateTimeField()

    class Meta:
        """Newest first; each account of a person once."""

        ordering: ClassVar = ["-added_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "account"], name="payee_account_unique"),
        ]

    def __str__(self) -> str:
        """Name the payee as its person does."""
        return self.nickname


class PayeeCooling(models.Model):
    """That an account pays a new payee only so much a day, until an instant.

    The ledger holds the limit once it ``is_set``. It outlives its payee: whoever is removed and
    added again cools on.
    """

    account = models.BigIntegerField()
    payee = models.BigIntegerField()
    daily_limit = models.BigIntegerField()
    until = models.DateTimeField()
    is_set = models.BooleanField(default=False)

    class Meta:
        """One for each pair of accounts."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "payee"], name="payee_cooling_unique"),
        ]
        indexes: ClassVar = [models.Index(fields=["until"], name="payee_cooling_until")]

    def __str__(self) -> str:
        """Show the two accounts."""
        return f"{self.account} to {self.payee}"


class StandingOrder(models.Model):
    """A transfer that is sent again and again, at the dates of a schedule.

    ``next_date`` is the next date of the schedule and ``pay_date`` the day on which it is paid,
    which differs at weekends and holidays; both are None when there is none left.
    """

    class State(models.TextChoices):
        """Whether it is executed. The last two are for good."""

        ACTIVE = "active", _("active")
        PAUSED = "paused", _("paused")
        CANCELLED = "cancelled", _("cancelled")
        ENDED = "ended", _("ended")

    class Frequency(models.TextChoices):
        """How far apart its dates are."""

        WEEKLY = "weekly", _("weekly")
        FORTNIGHTLY = "fortnightly", _("every two weeks")
        MONTHLY = "monthly", _("monthly")
        QUARTERLY = "quarterly", _("quarterly")
        YEARLY = "yearly", _("yearly")

    class Weekend(models.TextChoices):
        """When it is paid if its date is a Saturday, a Sunday or a bank holiday."""

        SAME = "same", _("on that day")
        BEFORE = "before", _("on the working day before")
        AFTER = "after", _("on the working day after")

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    key = models.CharField(max_length=255)
    debit = models.BigIntegerField()
    credit = models.BigIntegerField()
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    memo = models.CharField(max_length=140, blank=True)
    frequency = models.CharField(max_length=12, choices=Frequency)
    month_end = models.BooleanField()
    weekend = models.CharField(max_length=8, choices=Weekend)
    first_date = models.DateField()
    last_date = models.DateField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    next_date = models.DateField(null=True)
    pay_date = models.DateField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        """Newest first; each key of a person once."""

        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "key"], name="standing_order_key"),
            models.CheckConstraint(
                condition=models.Q(amount__gt=0), name="standing_order_amount_is_positive"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="active")
                | models.Q(next_date__isnull=False, pay_date__isnull=False),
                name="standing_order_active_has_a_date",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["pay_date"],
                condition=models.Q(state="active"),
                name="standing_order_due",
            ),
        ]

    def __str__(self) -> str:
        """Say what is sent, and how often."""
        return f"{self.money} from {self.debit} to {self.credit}, {self.frequency}"

    @property
    def money(self) -> Money:
        """What is sent each time."""
        return Money(self.amount, self.currency)


class ScheduledTransfer(models.Model):
    """A transfer that is sent once, as soon as it can be.

    It is sent under its ``key``, so that trying again moves nothing twice. ``sending`` is between a
    try and its answer: should the process that tries end there, another one asks again. One of a
    standing order knows its date, and is tried again until ``retry_until`` for lack of money.
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
    standing_order = models.ForeignKey(StandingOrder, models.PROTECT, null=True)
    due_date = models.DateField(null=True)
    retry_until = models.DateTimeField(null=True)

    class Meta:
        """Newest first; each key of a person once, each date of a standing order once."""

        ordering: ClassVar = ["-queued_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "key"], name="scheduled_transfer_key"),
            models.UniqueConstraint(
                fields=["standing_order", "due_date"], name="scheduled_transfer_date_of_order"
            ),
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
