"""The queue of alerts: what waits, and what was decided."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.access_log import note_accounts_viewed, note_all_viewed
from core.errors import DomainError
from transactions.fraud.models import UNDECIDED, FraudAlert

LOOKED_AT: Final = "security check"
"""What people read who learn that somebody looked: who is suspected must not learn of what."""


class UnknownAlert(DomainError):
    """There is no such alert."""

    code = "unknown_fraud_alert"
    http_status = 404

    def __init__(self) -> None:
        super().__init__(_("There is no such alert."))


def alerts(
    *,
    state: str | None,
    rule: str | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
    using: str = "default",
) -> Sequence[FraudAlert]:
    """Return alerts, the latest first; ``before`` is of the one where a page ended."""
    found = FraudAlert.objects.using(using).select_related("person", "decided_by")
    if state is not None:
        found = found.filter(state=state)
    if rule is not None:
        found = found.filter(rule=rule)
    if before is not None:
        raised_at, last = before
        found = found.filter(raised_at__lte=raised_at).exclude(raised_at=raised_at, pk__gte=last)
    return list(found[:limit])


def alert_known(alert_id: UUID, *, using: str = "default") -> FraudAlert:
    """Return an alert.

    Raises:
        UnknownAlert
    """
    known = FraudAlert.objects.using(using).select_related("person", "decided_by")
    found = known.filter(pk=alert_id).first()
    if found is None:
        raise UnknownAlert
    return found


def note_alerts_viewed(found: Collection[FraudAlert], *, viewer: int, what: str) -> None:
    """Note that somebody looks at alerts, for the people, and for all who hold the accounts.

    Raises:
        LookNotNoted
    """
    people = {one.person_id for one in found if one.person_id is not None}
    note_all_viewed(viewer=viewer, subjects=people, what=what)
    accounts = {one.account for one in found if one.account is not None}
    note_accounts_viewed(viewer=viewer, numbers=accounts, what=what)


def alerts_waiting() -> int:
    """Count the alerts that wait for a decision, those that are watched included."""
    return FraudAlert.objects.filter(state__in=UNDECIDED).count()
