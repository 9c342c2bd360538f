"""The terms of the bank's products. At the head office only."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Product
from core.money import Money


class ProductTerms(models.Model):
    """What accounts of a product in a currency earn and cost from a day on, until the next terms.

    ``rate_ppm`` is a yearly rate in millionths: 35000 is 3.5 %. ``monthly_fee`` is minor units.
    """

    product = models.CharField(_("product"), max_length=12, choices=Product)
    currency = models.CharField(_("currency"), max_length=3)
    effective_from = models.DateField(_("from"))
    rate_ppm = models.PositiveIntegerField(_("rate a year, in millionths"))
    monthly_fee = models.BigIntegerField(_("monthly fee, in minor units"))
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        """Newest first; one for each product, currency and day."""

        verbose_name = _("terms of a product")
        verbose_name_plural = _("products")
        ordering: ClassVar = ["product", "currency", "-effective_from"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["product", "currency", "effective_from"], name="product_terms_once"
            ),
            models.CheckConstraint(
                condition=models.Q(rate_ppm__lte=1_000_000), name="product_terms_rate"
            ),
            models.CheckConstraint(
                condition=models.Q(monthly_fee__gte=0), name="product_terms_fee"
            ),
        ]

    def __str__(self) -> str:
        """Name the product, the currency and the day."""
        return f"{self.get_product_display()}, {self.currency}, {self.effective_from:%F}"

    @property
    def fee(self) -> Money:
        """What an account costs each month."""
        return Money(self.monthly_fee, self.currency)
