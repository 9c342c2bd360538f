"""What two admins agreed of a loan that runs: to repay it otherwise, or to expect nothing more."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from loans.models.lent import Loan
from transactions.lending import Owed


class RestructuringState(models.TextChoices):
    """``waiting``: for its day to begin. ``lapsed``: it could not be done then, for ``words``."""

    WAITING = "waiting", _("waiting for its day")
    DONE = "done", _("done")
    LAPSED = "lapsed", _("could not be done")


class Restructuring(models.Model):
    """That a loan is repaid by another plan, from an instalment's day on.

    ``capitalised`` are the dues that became principal, in minor units, written down before they
    are posted: None until then, and where the dues stay as they are.
    """

    loan = models.ForeignKey(Loan, models.PROTECT, related_name="restructurings")
    since = models.DateField(_("from"))
    months = models.PositiveSmallIntegerField(_("months"))
    rate_ppm = models.PositiveIntegerField(_("rate a year, in millionths"))
    holiday_months = models.PositiveSmallIntegerField(_("months without repayment"))
    capitalises = models.BooleanField(_("what is overdue becomes principal"))
    capitalised = models.BigIntegerField(null=True)
    state = models.CharField(
        _("state"), max_length=8, choices=RestructuringState, default=RestructuringState.WAITING
    )
    words = models.CharField(max_length=200, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        """Each day of a loan once."""

        ordering: ClassVar = ["loan", "since"]
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["loan", "since"], name="loan_restructuring_once"),
        ]

    def __str__(self) -> str:
        """Show the loan and the day."""
        return f"{self.loan_id}, {self.since:%F}"


class WriteOff(models.Model):
    """That the bank expects nothing more of a loan: what it owed then, in minor units.

    Written before it is posted; ``transfer_id`` is None until then.
    """

    loan = models.OneToOneField(Loan, models.PROTECT, primary_key=True, related_name="write_off")
    penalty = models.BigIntegerField()
    fee = models.BigIntegerField()
    interest = models.BigIntegerField()
    principal = models.BigIntegerField()
    made_at = models.DateTimeField()
    transfer_id = models.UUIDField(null=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        """Seen with its loan."""

        default_permissions = ()

    def __str__(self) -> str:
        """Show the loan."""
        return str(self.loan_id)

    @property
    def owed(self) -> Owed:
        """What was owed."""
        return Owed(
            penalty=self.penalty, fee=self.fee, interest=self.interest, principal=self.principal
        )
