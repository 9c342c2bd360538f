"""People who joined, and the first account that they are to have."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from accounts.models.branches import Branch
from accounts.models.holdings import Account
from accounts.models.people import User


class Registration(models.Model):
    """That a customer joined; their first account is opened once it is confirmed.

    ``registered_by`` is None for people who signed up themselves. It is confirmed when the person
    has shown that the e-mail address is theirs.
    """

    person = models.OneToOneField(
        User, models.PROTECT, primary_key=True, related_name="registration"
    )
    branch = models.ForeignKey(Branch, models.PROTECT)
    registered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    registered_at = models.DateTimeField(db_default=Now())
    confirmed_at = models.DateTimeField(null=True)
    account = models.OneToOneField(Account, models.PROTECT, null=True)

    class Meta:
        """Those that wait for their account are found at once."""

        default_permissions = ()
        indexes: ClassVar = [
            models.Index(
                fields=["confirmed_at"],
                condition=models.Q(confirmed_at__isnull=False, account__isnull=True),
                name="registration_waits_for_account",
            ),
        ]

    def __str__(self) -> str:
        """Name the branch by its key, without a query."""
        return f"at branch {self.branch_id}"
