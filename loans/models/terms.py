"""On which terms the bank lends."""

from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.money import Money
from loans.schedule import Method, percent


class LoanProduct(models.TextChoices):
    """What a loan is for."""

    PERSONAL = "personal", _("personal loan")
    HOME = "home", _("home loan")
    VEHICLE = "vehicle", _("vehicle loan")
    EDUCATION = "education", _("education loan")
    BROUGHT_IN = "brought_in", _("loan of other books")


OFFERED: Final = tuple(one for one in LoanProduct if one is not LoanProduct.BROUGHT_IN)
"""What the bank lends for. What was brought in with other books is only repaid."""


class RepaymentMethod(models.TextChoices):
    """How a loan is repaid, in words."""

    ANNUITY = str(Method.ANNUITY), _("equal instalments")
    FLAT = str(Method.FLAT), _("flat interest on the whole amount")
    INTEREST_ONLY = str(Method.INTEREST_ONLY), _("interest alone, the amount at the end")


class LoanTerms(models.Model):
    """On which terms the bank lends from a day on, until newer ones follow. Never changed.

    Rates and shares in millionths, amounts in minor units. In the first ``holiday_months`` interest
    alone is paid; an instalment that is not paid ``grace_days`` after its day costs ``penalty``.
    """

    product = models.CharField(_("product"), max_length=12, choices=LoanProduct)
    currency = models.CharField(_("currency"), max_length=3)
    effective_from = models.DateField(_("from"))
    method = models.CharField(_("repaid by"), max_length=16, choices=RepaymentMethod)
    rate_ppm = models.PositiveIntegerField(_("rate a year, in millionths"))
    least_amount = models.BigIntegerField(_("least amount, in minor units"))
    most_amount = models.BigIntegerField(_("largest amount, in minor units"))
    least_months = models.PositiveSmallIntegerField(_("shortest term, in months"))
    most_months = models.PositiveSmallIntegerField(_("longest term, in months"))
    holiday_months = models.PositiveSmallIntegerField(_("months without repayment"), default=0)
    opening_fee_ppm = models.PositiveIntegerField(_("opening fee, in millionths"), default=0)
    instalment_fee = models.BigIntegerField(_("fee of an instalment, in minor units"), default=0)
    grace_days = models.PositiveSmallIntegerField(_("days of grace"), default=0)
    penalty = models.BigIntegerField(_("penalty, in minor units"), default=0)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        """Each product and currency has one set of terms from a day."""

        verbose_name = _("terms of a loan")
        verbose_name_plural = _("loan products")
        ordering: ClassVar = ["product", "currency", "-effective_from"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["product", "currency", "effective_from"], name="loan_terms_once"
            ),
            models.CheckConstraint(
                condition=models.Q(rate_ppm__lte=1_000_000, opening_fee_ppm__lte=1_000_000),
                name="loan_terms_rates",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    least_amount__gt=0,
                    most_amount__gte=models.F("least_amount"),
                    most_months__gte=models.F("least_months"),
                    least_months__gt=models.F("holiday_months"),
                    instalment_fee__gte=0,
                    penalty__gte=0,
                ),
                name="loan_terms_bounds",
            ),
        ]

    def __str__(self) -> str:
        """Name the product, the currency and the day."""
        return f"{self.get_product_display()}, {self.currency}, {self.effective_from:%F}"

    @property
    def rate(self) -> str:
        """The rate a year, in percent."""
        return percent(self.rate_ppm)

    @property
    def opening_fee(self) -> str:
        """The opening fee, in percent of the amount."""
        return percent(self.opening_fee_ppm)

    @property
    def least(self) -> Money:
        """The least amount."""
        return self.money(self.least_amount)

    @property
    def most(self) -> Money:
        """The largest amount."""
        return self.money(self.most_amount)

    @property
    def fine(self) -> Money:
        """What an instalment costs that is late."""
        return self.money(self.penalty)

    def money(self, minor: int) -> Money:
        """Return an amount in the terms' currency."""
        return Money(minor, self.currency)
