"""What a loan costs each day, what it was charged, and what was paid for it."""

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from loans.models.lent import Loan
from transactions.lending import Owed


class InterestDay(models.Model):
    """What a loan cost on a day: the ``days``-th part of a month's interest on ``principal``."""

    loan = models.ForeignKey(Loan, models.PROTECT, related_name="interest_days")
    day = models.DateField()
    principal = models.BigIntegerField()
    rate_ppm = models.PositiveIntegerField()
    days = models.PositiveSmallIntegerField()

    class Meta:
        """Each day of a loan once."""

        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["loan", "day"], name="loan_interest_day_once"),
            models.CheckConstraint(
                condition=models.Q(principal__gte=0, days__gt=0), name="loan_interest_day_figures"
            ),
        ]

    def __str__(self) -> str:
        """Show the loan and the day."""
        return f"{self.loan_id}, {self.day:%F}"


class Due(models.TextChoices):
    """What a loan is charged."""

    INTEREST = "interest", _("interest")
    FEE = "fee", _("fee")
    PENALTY = "penalty", _("penalty")


class LoanCharge(models.Model):
    """Something that a loan was charged for a day, in minor units.

    Written before it is posted, and posted once by ``reference``. ``posted_at`` is None until then.
    """

    loan = models.ForeignKey(Loan, models.PROTECT, related_name="charges")
    kind = models.CharField(max_length=12, choices=Due)
    day = models.DateField()
    minor = models.BigIntegerField()
    posted_at = models.DateTimeField(null=True)

    class Meta:
        """Each kind and day of a loan once."""

        ordering: ClassVar = ["day", "pk"]
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["loan", "kind", "day"], name="loan_charge_once"),
            models.CheckConstraint(condition=models.Q(minor__gt=0), name="loan_charge_positive"),
        ]

    def __str__(self) -> str:
        """Show the reference."""
        return self.reference

    @property
    def reference(self) -> str:
        """What the ledger knows the charge by."""
        return f"loan/{self.loan_id}/{self.kind}/{self.day:%F}"


class Repayment(models.Model):
    """A payment for a loan, in minor units by what it pays, written before it is posted.

    ``key`` is its client's. One that is not ``done`` may be posted or not: the same again tells.
    ``recovered`` is what was paid for a loan that was written off.
    """

    id = models.UUIDField(primary_key=True, default=uuid4)
    loan = models.ForeignKey(Loan, models.PROTECT, related_name="repayments")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    key = models.CharField(max_length=255)
    account = models.BigIntegerField()
    asked = models.BigIntegerField(null=True)
    penalty = models.BigIntegerField()
    fee = models.BigIntegerField()
    interest = models.BigIntegerField()
    principal = models.BigIntegerField()
    early = models.BigIntegerField(default=0)
    recovered = models.BigIntegerField(default=0)
    channel = models.CharField(max_length=12)
    made_at = models.DateTimeField()
    transfer_id = models.UUIDField(null=True)

    class Meta:
        """The newest first; each key of a client once."""

        ordering: ClassVar = ["-made_at", "-pk"]
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["by", "key"], nulls_distinct=False, name="loan_repayment_once"
            ),
        ]

    def __str__(self) -> str:
        """Show the loan and the instant."""
        return f"{self.loan_id}, {self.made_at:%F %T}"

    @property
    def is_done(self) -> bool:
        """Tell whether the ledger has it."""
        return self.transfer_id is not None

    @property
    def paid(self) -> Owed:
        """What it pays."""
        return Owed(
            penalty=self.penalty, fee=self.fee, interest=self.interest, principal=self.principal
        )

    @property
    def total(self) -> int:
        """All that was paid."""
        return self.paid.total + self.recovered
