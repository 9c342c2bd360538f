"""Raising alerts: each once, however often and by however many watchers it is found."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

import structlog

from core.clock import bank_day, start_of
from transactions.fraud.findings import Finding
from transactions.fraud.models import FraudAlert

# Version 8 of RFC 9562, the variant, and what is left of an id beside 48 bits of milliseconds.
_FORM: Final = 0x8 << 76 | 0x2 << 62
_TAIL: Final = (1 << 76) - 1 & ~(0x3 << 62)
_log = structlog.get_logger(__name__)


def raise_alerts(findings: Sequence[Finding], *, now: datetime) -> int:
    """Raise what was not raised before and return how many; joins the caller's transaction."""
    # Of a burst that is read at once, the last finding tells of the whole of it.
    alerts = {alert_id(one): one for one in findings}
    known = set(FraudAlert.objects.filter(pk__in=alerts).values_list("pk", flat=True))
    new = [_alert(pk, one, now) for pk, one in alerts.items() if pk not in known]
    FraudAlert.objects.bulk_create(new, ignore_conflicts=True)
    for alert in new:
        _log.warning("fraud_alert_raised", alert=str(alert.pk), rule=alert.rule)
    return len(new)


def alert_id(found: Finding) -> UUID:
    """Return the id of an alert, which is the same for what is told once."""
    day = bank_day(found.at)
    at = found.at if found.once_for else start_of(day)
    once = f"{found.rule} {found.account} {found.person} {found.once_for or day}"
    tail = int.from_bytes(sha256(once.encode()).digest()[:10])
    return UUID(int=round(at.timestamp() * 1000) << 80 | tail & _TAIL | _FORM)


def _alert(pk: UUID, found: Finding, now: datetime) -> FraudAlert:
    return FraudAlert(
        id=pk,
        rule=found.rule,
        account=found.account,
        person_id=found.person,
        facts=dict(found.facts),
        transfers=list(found.transfers),
        happened_at=found.at,
        raised_at=now,
    )
