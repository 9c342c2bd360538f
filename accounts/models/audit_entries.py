"""The audit as one list, over the tables of events of all audited models."""

import pghistory
from django.db import models
from django.utils.translation import gettext_lazy as _
from pghistory.models import Events

from accounts.models.people import User


class AuditEntry(Events):
    """A change, with who made it, by which credential, and why."""

    by = pghistory.ProxyField(
        "pgh_context__by", models.ForeignKey(User, models.DO_NOTHING, null=True)
    )
    credential = pghistory.ProxyField("pgh_context__credential", models.TextField(null=True))
    reason = pghistory.ProxyField("pgh_context__reason", models.TextField(null=True))

    class Meta:
        """No table of its own."""

        proxy = True
        default_permissions = ("view",)
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit")

    def __str__(self) -> str:
        """Say what was done to what."""
        return f"{self.pgh_label} {self.pgh_obj_model}"
