"""Which branches have a node of their own. At the head office only."""

from typing import ClassVar

from django.db import models


class Node(models.Model):
    """The database that holds a branch's ledger.

    ``database_url`` is the application's address and holds its password: it is never shown, logged
    or published to a copy.
    """

    branch = models.OneToOneField("accounts.Branch", models.PROTECT, primary_key=True)
    database_url = models.TextField()
    joined_at = models.DateTimeField()

    class Meta:
        """Nodes in the order in which they joined."""

        ordering: ClassVar = ["joined_at"]

    def __str__(self) -> str:
        """Name the node by its branch's key, without a query."""
        return f"node of branch {self.branch_id}"
