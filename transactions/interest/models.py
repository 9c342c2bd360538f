"""Interest that could not be posted. At the head office only."""

from typing import ClassVar

from django.db import models


class WithheldInterest(models.Model):
    """That a month's interest waits, since its account was frozen when it was to be posted."""

    account = models.BigIntegerField()
    month = models.DateField()

    class Meta:
        """Each account and month once."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "month"], name="withheld_interest_once"),
        ]

    def __str__(self) -> str:
        """Show the account and the month."""
        return f"{self.account}, {self.month:%Y-%m}"
