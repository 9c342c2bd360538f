"""Files of payments that people gave the bank. At the head office only, and never copied on."""

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models


class BulkFile(models.Model):
    """A file of payments: what was read of it, and once it was sent what came of each payment.

    ``payments`` and ``results`` are lists in the file's order, as ``transactions.bulk.files`` has
    them.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=120)
    message_id = models.CharField(max_length=35)
    payments = models.JSONField()
    received_at = models.DateTimeField()
    results = models.JSONField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        """A person's file of the same content is the same file."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "digest"], name="bulk_file_once"),
        ]

    def __str__(self) -> str:
        """Show the file's name."""
        return self.name
