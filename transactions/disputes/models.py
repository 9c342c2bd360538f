"""Cases of disputed movements, at the head office only."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.audit import audited
from accounts.reasons import LONGEST_REASON


class DisputeReason(models.TextChoices):
    """What a customer says is wrong with a movement."""

    NOT_MINE = "not_mine", _("I did not make or allow this payment")
    TWICE = "twice", _("It was taken twice")
    WRONG_AMOUNT = "wrong_amount", _("The amount is wrong")
    NOT_RECEIVED = "not_received", _("I did not get what I paid for")
    CASH = "cash", _("The machine or till counted other cash")
    OTHER = "other", _("Something else")


class DisputeState(models.TextChoices):
    """How far a case is. Accepted and declined are answers, for good."""

    OPEN = "open", _("open")
    IN_WORK = "in_work", _("being looked into")
    ACCEPTED = "accepted", _("accepted")
    DECLINED = "declined", _("declined")


UNANSWERED = (DisputeState.OPEN, DisputeState.IN_WORK)
ANSWERS = (DisputeState.ACCEPTED, DisputeState.DECLINED)


@audited()
class Dispute(models.Model):
    """That a person calls a movement of an account wrong, and what the bank made of it.

    Its key is the case's number. Of a movement of an account one case at most is unanswered.
    """

    transfer_id = models.UUIDField(_("transfer"))
    account = models.BigIntegerField(_("account"))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("customer")
    )
    why = models.CharField(_("what is wrong"), max_length=12, choices=DisputeReason)
    words = models.CharField(_("in their words"), max_length=LONGEST_REASON, blank=True)
    state = models.CharField(
        _("state"), max_length=8, choices=DisputeState, default=DisputeState.OPEN
    )
    opened_at = models.DateTimeField(_("opened"))
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("in whose hands"),
    )
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("answered by"),
    )
    answered_at = models.DateTimeField(_("answered"), null=True)
    answer = models.CharField(_("answer"), max_length=LONGEST_REASON, blank=True)

    class Meta:
        """The latest first; those that wait are found at once."""

        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        ordering: ClassVar = ["-opened_at", "-pk"]
        default_permissions = ("view",)
        permissions: ClassVar = [("answer_dispute", _("Can take and answer disputes"))]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["transfer_id", "account"],
                condition=Q(state__in=["open", "in_work"]),
                name="dispute_one_unanswered",
            ),
            models.CheckConstraint(
                condition=Q(state="open", taken_by__isnull=True)
                | Q(state="in_work", taken_by__isnull=False)
                | Q(state__in=["accepted", "declined"]),
                name="dispute_in_work_has_somebody",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["open", "in_work"],
                    answered_at__isnull=True,
                    answered_by__isnull=True,
                    answer="",
                )
                | Q(
                    state__in=["accepted", "declined"],
                    answered_at__isnull=False,
                    answered_by__isnull=False,
                )
                & ~Q(answer=""),
                name="dispute_answered_by_state",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "-opened_at"], name="dispute_of_account"),
            models.Index(fields=["-opened_at", "-id"], name="dispute_newest"),
            models.Index(
                fields=["state"],
                condition=Q(state__in=["open", "in_work"]),
                name="dispute_waiting",
            ),
        ]

    def __str__(self) -> str:
        """Name the case by its number."""
        return str(self.pk)

    @property
    def is_answered(self) -> bool:
        """Tell whether the bank has answered."""
        return self.state in ANSWERS
