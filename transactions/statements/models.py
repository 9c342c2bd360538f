"""What customers say of their movements, and which statements they want. Head office only."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Category(models.TextChoices):
    """What money came from or went for. The first ones the bank can tell by itself."""

    RECEIVED = "received", _("Received")
    SENT = "sent", _("Sent to others")
    OWN = "own", _("Between your own accounts")
    BILLS = "bills", _("Bills and payments")
    SHOPPING = "shopping", _("Shopping by card")
    CASH = "cash", _("Cash")
    INTEREST = "interest", _("Interest")
    CHARGES = "charges", _("Bank charges")
    CORRECTIONS = "corrections", _("Taken back")
    SALARY = "salary", _("Salary")
    HOME = "home", _("Home and rent")
    FOOD = "food", _("Food")
    TRAVEL = "travel", _("Travel")
    HEALTH = "health", _("Health")
    LEISURE = "leisure", _("Leisure")
    SAVING = "saving", _("Saving")
    OTHER = "other", _("Something else")


class MovementCategory(models.Model):
    """That a person puts one of their transfers into another category than the bank does."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    transfer_id = models.UUIDField()
    category = models.CharField(max_length=12, choices=Category)
    chosen_at = models.DateTimeField()

    class Meta:
        """One for each transfer of a person."""

        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "transfer_id"], name="movement_category_unique"
            ),
        ]

    def __str__(self) -> str:
        """Show the transfer and what it is for."""
        return f"{self.transfer_id}: {self.category}"


class MonthlyStatement(models.Model):
    """That a person wants an account's statement of each month by e-mail."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    account = models.BigIntegerField()
    asked_at = models.DateTimeField()

    class Meta:
        """Once for each account."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "account"], name="monthly_statement_once"),
        ]

    def __str__(self) -> str:
        """Show the account."""
        return str(self.account)


class StatementMailing(models.Model):
    """That a month's statement of an account was put into the mail to a person."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    account = models.BigIntegerField()
    month = models.DateField()
    mailed_at = models.DateTimeField()

    class Meta:
        """Once for each account, month and person."""

        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "month", "user"], name="statement_mailing_once"
            ),
        ]

    def __str__(self) -> str:
        """Show the account and the month."""
        return f"{self.account} {self.month:%Y-%m}"
