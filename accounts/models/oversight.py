"""What keeps those who work for the bank honest: who looked at whom, and second opinions."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.audit import APPEND_ONLY, audited
from accounts.models.people import User
from accounts.reasons import LONGEST_REASON

# Of what is asked for, what is for the bank's own use: a person's key, and the one under which the
# maker asked.
_UNTOLD: Final = frozenset({"person", "key"})


class Viewing(models.Model):
    """That somebody who works for the bank looked at a customer's data. Never changed."""

    viewer = models.ForeignKey(User, models.PROTECT, related_name="+")
    subject = models.ForeignKey(User, models.PROTECT, related_name="viewings")
    what = models.CharField(max_length=80)
    reason = models.CharField(max_length=LONGEST_REASON, blank=True)
    viewed_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-pk"]
        default_permissions = ("view",)
        triggers: ClassVar = [APPEND_ONLY]
        indexes: ClassVar = [
            models.Index(fields=["subject", "-id"], name="viewing_of_subject"),
            models.Index(fields=["viewer", "-viewed_at"], name="viewing_by_viewer"),
        ]

    def __str__(self) -> str:
        """Say what was looked at; it was noted in English."""
        return gettext(self.what.capitalize())


class ApprovalState(models.TextChoices):
    """How far a request is. ``approved`` is between the decision and its being carried out."""

    WAITING = "waiting", _("waiting")
    APPROVED = "approved", _("approved")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    REFUSED = "refused", _("refused")
    EXPIRED = "expired", _("expired")


@audited()
class Approval(models.Model):
    """A sensitive change that one admin asks for, and another decides about, once."""

    action = models.CharField(max_length=60)
    payload = models.JSONField()
    reason = models.CharField(max_length=LONGEST_REASON)
    maker = models.ForeignKey(User, models.PROTECT, related_name="+")
    # What the maker was when they asked; empty in requests of an earlier release.
    maker_role = models.CharField(max_length=12, blank=True, db_default="")
    asked_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=10, choices=ApprovalState, default=ApprovalState.WAITING)
    checker = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    words = models.CharField(max_length=LONGEST_REASON, blank=True)
    result = models.JSONField(null=True)

    class Meta:
        """Newest first; nobody checks their own."""

        ordering: ClassVar = ["-pk"]
        default_permissions = ("view",)
        permissions: ClassVar = [("decide_approval", _("Can decide what others ask for"))]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(checker__isnull=True) | ~models.Q(checker=models.F("maker")),
                name="approval_is_by_another",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["asked_at"],
                condition=models.Q(state__in=["waiting", "approved"]),
                name="approval_is_open",
            ),
        ]

    def __str__(self) -> str:
        """Name the change."""
        return f"{self.shown_action} ({self.get_state_display()})"

    @property
    def shown_action(self) -> str:
        """Return what is asked for, without the app that does it."""
        return gettext(self.action.rpartition(".")[2].replace("_", " ").capitalize())

    @property
    def told(self) -> Mapping[str, Any]:
        """Return what is asked for as it is told to people, without what is for the bank's use."""
        return {name: value for name, value in self.payload.items() if name not in _UNTOLD}
