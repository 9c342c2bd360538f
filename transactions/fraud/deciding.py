"""Deciding about alerts: watched, dismissed or confirmed, by whom and why, for good."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.audit import acting
from accounts.callers import Caller
from accounts.models import User
from accounts.reasons import given_reason
from core.errors import DomainError
from notifications.notices.models import NoticeKind
from notifications.notices.telling import NewNotice, tell
from transactions.account_desk import ask_status
from transactions.fraud.findings import Rule
from transactions.fraud.models import UNDECIDED, AlertState, FraudAlert
from transactions.fraud.queue import alert_known
from transactions.ledger.accounts import Status

DECIDE: Final = "transactions.decide_fraudalert"
DECISIONS: Final = (AlertState.WATCHED, AlertState.DISMISSED, AlertState.CONFIRMED)


class AlertDecided(DomainError):
    """Somebody has decided already."""

    code = "fraud_alert_decided"
    http_status = 409


class OwnAlert(DomainError):
    """Nobody decides about what is about themselves or an account of theirs."""

    code = "own_fraud_alert"
    http_status = 403


class NothingToFreeze(DomainError):
    """The alert is about a person's log-ins, not about an account."""

    code = "fraud_alert_without_account"


def decide(
    alert_id: UUID,
    *,
    state: AlertState,
    reason: str,
    freeze: bool,
    admin: Caller,
    now: datetime,
) -> FraudAlert:
    """Decide about an alert; with ``freeze`` ask, too, that its account is frozen.

    A second admin approves the freezing. Those whom a confirmed alert is about are told, but of
    structuring: who launders money must not learn that the bank has seen it. One transaction.

    Raises:
        UnknownAlert, AlertDecided, OwnAlert, NothingToFreeze
        Refused: the account is closed.
        InvalidText: the reason is empty, too long, or not one line.
    """
    words = given_reason(reason)
    with transaction.atomic(), acting(by=admin.pk, credential=admin.credential, reason=words):
        FraudAlert.objects.select_for_update().filter(pk=alert_id).first()
        alert = alert_known(alert_id)
        if alert.state not in UNDECIDED:
            raise AlertDecided(_("Somebody has decided about this alert already."))
        if User.objects.filter(_are_in(alert), pk=admin.pk).exists():
            raise OwnAlert(_("Somebody else must decide about what concerns you."))
        if freeze:
            _ask_freezing(alert, admin, words)
        alert.state, alert.reason = state, words
        alert.decided_by_id, alert.decided_at = admin.pk, now
        alert.save(update_fields=["state", "reason", "decided_by", "decided_at"])
        if state == AlertState.CONFIRMED and alert.rule != Rule.STRUCTURING:
            _tell(alert, now)
    return alert


def _ask_freezing(alert: FraudAlert, admin: Caller, reason: str) -> None:
    if alert.account is None:
        raise NothingToFreeze(_("This alert is about no account."), field="freeze")
    ask_status(
        alert.account, status=Status.FROZEN, admin=admin, key=f"fraud {alert.pk}", reason=reason
    )


def _tell(alert: FraudAlert, now: datetime) -> None:
    """Tell those whom an alert is about, each in the language that they read."""
    notices = []
    for person in User.objects.filter(_are_in(alert)).distinct():
        with translation.override(person.language or settings.LANGUAGE_CODE):
            rule = {"rule": alert.get_rule_display()}
            title = _("The bank has found something suspicious: %(rule)s") % rule
        notices.append(
            NewNotice(
                person=person.pk,
                kind=NoticeKind.SECURITY,
                source=f"fraud {alert.pk}",
                occurred_at=now,
                data={"title": title},
            )
        )
    tell(notices, now=now)


def _are_in(alert: FraudAlert) -> Q:
    return Q(pk=alert.person_id) if alert.account is None else Q(holdings__account=alert.account)
