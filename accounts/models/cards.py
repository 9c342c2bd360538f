"""Cards: who may pay with which, from which account, and up to what."""

from datetime import date
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.audit import audited
from accounts.models.holdings import Account
from accounts.models.people import User
from core.money import Money


class CardKind(models.TextChoices):
    """Whose money a card pays with: what is in the account, or what the bank lends on it."""

    DEBIT = "debit", _("debit card")
    CREDIT = "credit", _("credit card")


class CardTier(models.TextChoices):
    """How far a card reaches at first."""

    JUNIOR = "junior", _("Junior")
    CLASSIC = "classic", _("Classic")
    GOLD = "gold", _("Gold")


class CardState(models.TextChoices):
    """Whether a card pays. An issued one gets its number when its person activates it."""

    ISSUED = "issued", _("to be activated")
    ACTIVE = "active", _("active")
    FROZEN = "frozen", _("frozen")
    BLOCKED = "blocked", _("blocked")
    EXPIRED = "expired", _("expired")


class CardLimit(models.TextChoices):
    """What bounds a card."""

    PAYMENT = "payment_limit", _("In one payment")
    DAILY = "daily_limit", _("In a day")
    MONTHLY = "monthly_limit", _("In a month")


@audited(exclude=["number_digest"])
class Card(models.Model):
    """A card of a person's, bound to an account of theirs. Blocked is for good.

    Of its number the last four digits are kept, and a keyed digest that finds it. Limits are minor
    units of the account's currency. It is good to the end of ``expires_on``; that it has expired is
    told by the day, and stored nowhere.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    person = models.ForeignKey(User, models.PROTECT, related_name="cards")
    account = models.ForeignKey(Account, models.PROTECT, related_name="cards")
    kind = models.CharField(max_length=6, choices=CardKind)
    tier = models.CharField(max_length=8, choices=CardTier)
    state = models.CharField(max_length=8, choices=CardState, default=CardState.ISSUED)
    last_four = models.CharField(max_length=4, blank=True)
    number_digest = models.CharField(
        max_length=64, unique=True, null=True, blank=True, editable=False
    )
    expires_on = models.DateField(null=True)
    payment_limit = models.BigIntegerField()
    daily_limit = models.BigIntegerField()
    monthly_limit = models.BigIntegerField()
    issued_at = models.DateTimeField()
    external_reference = models.CharField(max_length=64, unique=True, null=True, blank=True)

    class Meta:
        """Newest first; nothing pays without a number."""

        ordering: ClassVar = ["-issued_at", "-pk"]
        default_permissions = ("view",)
        permissions: ClassVar = [("govern_card", _("Can ask for customers' cards and block them"))]
        verbose_name = _("card")
        verbose_name_plural = _("cards")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(state__in=["active", "frozen"])
                | ~Q(last_four="") & Q(expires_on__isnull=False),
                name="card_in_use_has_number",
            ),
            models.CheckConstraint(
                condition=Q(payment_limit__gte=0) & Q(daily_limit__gte=0) & Q(monthly_limit__gte=0),
                name="card_limits_not_negative",
            ),
        ]

    def __str__(self) -> str:
        """Show how its number ends."""
        return f"•••• {self.last_four or '····'}"

    def state_on(self, day: date) -> CardState:
        """Return whether it pays on a day."""
        known = CardState(self.state)
        is_over = self.expires_on is not None and self.expires_on < day
        return CardState.EXPIRED if is_over and known is not CardState.BLOCKED else known

    def limit(self, limit: CardLimit) -> Money:
        """Return one of its limits; the account must be loaded."""
        return Money(getattr(self, limit), self.account.currency)
