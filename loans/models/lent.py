"""Money that was lent, and what of it is to be repaid when."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.money import Money
from loans.models.applications import LoanApplication
from loans.models.terms import LoanTerms
from transactions.lending import LoanAccounts


class LoanState(models.TextChoices):
    """``opening``: accepted, and on its way out of the bank."""

    OPENING = "opening", _("being paid out")
    ACTIVE = "active", _("running")
    REPAID = "repaid", _("repaid")
    WRITTEN_OFF = "written_off", _("written off")


class Loan(models.Model):
    """Money that was lent. ``number`` and ``dues`` are its accounts in the ledger."""

    number = models.BigIntegerField(primary_key=True)
    dues = models.BigIntegerField(unique=True)
    application = models.OneToOneField(LoanApplication, models.PROTECT, related_name="loan")
    borrower = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="loans")
    account = models.BigIntegerField(_("paying account"))
    terms = models.ForeignKey(LoanTerms, models.PROTECT, verbose_name=_("terms"))
    amount = models.BigIntegerField(_("amount, in minor units"))
    months = models.PositiveSmallIntegerField(_("months"))
    state = models.CharField(
        _("state"), max_length=12, choices=LoanState, default=LoanState.OPENING
    )
    accepted_at = models.DateTimeField(_("accepted"))
    start = models.DateField(_("paid out"), null=True)
    repaid_at = models.DateTimeField(_("repaid"), null=True)

    class Meta:
        """The newest first."""

        verbose_name = _("loan")
        verbose_name_plural = _("loans")
        ordering: ClassVar = ["-accepted_at", "-pk"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        """Show the number."""
        return str(self.number)

    @property
    def accounts(self) -> LoanAccounts:
        """The loan's accounts in the ledger."""
        return LoanAccounts(self.number, self.dues, self.terms.currency)

    @property
    def money(self) -> Money:
        """What was lent."""
        return self.terms.money(self.amount)


class LoanPlan(models.Model):
    """What of a loan is to be repaid when, from a day on. The one that begins last holds.

    Never changed: what is agreed anew is a plan of its own. In the first ``holiday_months``
    interest alone is paid.
    """

    loan = models.ForeignKey(Loan, models.PROTECT, related_name="plans")
    number = models.PositiveSmallIntegerField()
    since = models.DateField()
    principal = models.BigIntegerField()
    rate_ppm = models.PositiveIntegerField()
    holiday_months = models.PositiveSmallIntegerField()

    class Meta:
        """Each number of a loan once."""

        ordering: ClassVar = ["loan", "number"]
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["loan", "number"], name="loan_plan_once"),
        ]

    def __str__(self) -> str:
        """Show the loan and the number."""
        return f"{self.loan_id}/{self.number}"


class Instalment(models.Model):
    """One payment of a plan, in minor units. Interest is charged as it accrued."""

    plan = models.ForeignKey(LoanPlan, models.PROTECT, related_name="instalments")
    number = models.PositiveSmallIntegerField(_("number"))
    due_date = models.DateField(_("due"))
    principal = models.BigIntegerField(_("principal"))
    interest = models.BigIntegerField(_("interest"))
    balance_after = models.BigIntegerField(_("left after it"))

    class Meta:
        """In the order in which they are due; each of a plan once."""

        ordering: ClassVar = ["plan", "number"]
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan", "number"], name="loan_instalment_once"),
        ]

    def __str__(self) -> str:
        """Show the plan and the number."""
        return f"{self.plan_id}/{self.number}"

    @property
    def total(self) -> int:
        """Principal and interest."""
        return self.principal + self.interest
