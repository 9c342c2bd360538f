"""Payments by card. The money is the ledger's; here stands which card, and which merchant."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Card
from core.money import Money


class CardPayment(models.Model):
    """A payment that a merchant asked a card for. Amounts are minor units of the card's account.

    Its id is made of who asked and their idempotency key, so the same request is the same payment.
    """

    class State(models.TextChoices):
        """How far it is. Only the first goes on."""

        AUTHORISED = "authorised", _("set aside")
        CAPTURED = "captured", _("paid")
        RELEASED = "released", _("released")
        EXPIRED = "expired", _("expired")
        DECLINED = "declined", _("declined")

    id = models.UUIDField(primary_key=True, editable=False)
    card = models.ForeignKey(Card, models.PROTECT, related_name="payments")
    client = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    merchant = models.CharField(max_length=60)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    captured = models.BigIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State)
    reason = models.CharField(max_length=40, blank=True)
    day = models.DateField()
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    hold_id = models.UUIDField(null=True)
    transfer_id = models.UUIDField(null=True)

    class Meta:
        """Found by their card, newest first, for its limits too; those that run out by when."""

        ordering: ClassVar = ["-asked_at", "-pk"]
        default_permissions = ("view",)
        permissions: ClassVar = [("charge_cards", _("Can charge cards for merchants"))]
        verbose_name = _("card payment")
        verbose_name_plural = _("card payments")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, captured__gte=0, captured__lte=models.F("amount")),
                name="card_payment_amounts",
            ),
            models.CheckConstraint(
                condition=Q(state="declined") | Q(hold_id__isnull=False, expires_at__isnull=False),
                name="card_payment_has_hold",
            ),
            models.CheckConstraint(
                condition=Q(state="captured", captured__gt=0, transfer_id__isnull=False)
                | ~Q(state="captured") & Q(captured=0, transfer_id__isnull=True),
                name="card_payment_captured",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["card", "-asked_at", "-id"], name="card_payment_of_card"),
            models.Index(
                fields=["expires_at"],
                condition=Q(state="authorised"),
                name="card_payment_expiry",
            ),
        ]

    def __str__(self) -> str:
        """Name the merchant and the amount."""
        return f"{self.merchant}, {self.money}"

    @property
    def money(self) -> Money:
        """What was asked for."""
        return Money(self.amount, self.currency)

    @property
    def paid(self) -> Money:
        """What the merchant got."""
        return Money(self.captured, self.currency)
