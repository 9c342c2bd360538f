"""The identity of accounts, and who holds them. What an account holds is the ledger's."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.audit import audited
from accounts.models.branches import Branch
from accounts.models.people import User


class Product(models.TextChoices):
    """What kind of account a customer has."""

    CURRENT = "current", _("current account")
    SAVINGS = "savings", _("savings account")


class AccountStatus(models.TextChoices):
    """Whether money moves on an account; what its branch says counts, this names it."""

    OPEN = "open", _("open")
    FROZEN = "frozen", _("frozen")
    CLOSED = "closed", _("closed")


class Rights(models.TextChoices):
    """What a person may do with an account that they hold."""

    OWNER = "owner", _("owner")
    AUTHORISED = "authorised", _("authorised")


@audited()
class Account(models.Model):
    """The identity of a customer's account. Its number never changes.

    ``status`` and ``holdings`` are copies of what the account's branch says.
    """

    number = models.BigIntegerField(primary_key=True)
    branch = models.ForeignKey(Branch, models.PROTECT)
    product = models.CharField(max_length=12, choices=Product)
    currency = models.CharField(max_length=3)
    name = models.CharField(max_length=60, blank=True)
    status = models.CharField(
        max_length=8,
        choices=AccountStatus,
        db_default=AccountStatus.OPEN,
        default=AccountStatus.OPEN,
    )
    opened_at = models.DateTimeField()
    external_reference = models.CharField(max_length=64, unique=True, null=True, blank=True)

    class Meta:
        """Accounts in the order of their numbers."""

        ordering: ClassVar = ["number"]

    def __str__(self) -> str:
        """Show the number."""
        return str(self.number)


@audited()
class Holding(models.Model):
    """That a person holds an account."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="holdings")
    user = models.ForeignKey(User, models.PROTECT, related_name="holdings")
    rights = models.CharField(max_length=12, choices=Rights)

    class Meta:
        """One for each person and account."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "user"], name="holding_account_user_unique"),
        ]

    def __str__(self) -> str:
        """Show the account's number and what may be done."""
        return f"{self.account_id} {self.get_rights_display()}"
