"""What customers apply for, and how far that is."""

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.money import Money
from loans.models.terms import LoanTerms


class ApplicationState(models.TextChoices):
    """How far an application is. ``offered`` waits for the customer; ``accepted`` is a loan."""

    DRAFT = "draft", _("draft")
    SUBMITTED = "submitted", _("being reviewed")
    OFFERED = "offered", _("offered to you")
    ACCEPTED = "accepted", _("accepted")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")


class Document(models.TextChoices):
    """What an applicant shows at the branch."""

    IDENTITY = "identity", _("proof of identity")
    ADDRESS = "address", _("proof of address")
    INCOME = "income", _("proof of income")


class LoanApplication(models.Model):
    """A customer's wish for a loan, by the terms of the day on which it was sent in."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    applicant = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="loan_applications"
    )
    account = models.BigIntegerField(_("account"))
    terms = models.ForeignKey(LoanTerms, models.PROTECT, verbose_name=_("terms"))
    amount = models.BigIntegerField(_("amount, in minor units"))
    months = models.PositiveSmallIntegerField(_("months"))
    purpose = models.CharField(_("purpose"), max_length=140)
    monthly_income = models.BigIntegerField(_("income a month, in minor units"))
    documents_seen = models.JSONField(_("documents seen"), default=list)
    state = models.CharField(
        _("state"), max_length=12, choices=ApplicationState, default=ApplicationState.DRAFT
    )
    created_at = models.DateTimeField(_("created"))
    submitted_at = models.DateTimeField(_("sent in"), null=True)
    offered_until = models.DateField(_("offered until"), null=True)
    decided_at = models.DateTimeField(_("decided"), null=True)
    decision_reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        """The newest first; one of a person is under way at a time."""

        verbose_name = _("loan application")
        verbose_name_plural = _("loan applications")
        ordering: ClassVar = ["-created_at", "-pk"]
        default_permissions = ("view",)
        permissions: ClassVar = [("review_loan", _("Can review and propose loans"))]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["applicant"],
                condition=models.Q(state__in=["submitted", "offered"]),
                name="loan_application_one_under_way",
            ),
            models.CheckConstraint(
                condition=models.Q(amount__gt=0, months__gt=0, monthly_income__gte=0),
                name="loan_application_figures",
            ),
        ]

    def __str__(self) -> str:
        """Name the product and the amount."""
        return f"{self.terms.get_product_display()}, {self.money}"

    @property
    def money(self) -> Money:
        """The amount."""
        return Money(self.amount, self.terms.currency)

    @property
    def documents(self) -> list[tuple[str, bool]]:
        """What is to be shown, each with whether it was seen."""
        return [(str(one.label), one in self.documents_seen) for one in Document]

    @property
    def income(self) -> Money:
        """What the applicant earns each month."""
        return Money(self.monthly_income, self.terms.currency)
