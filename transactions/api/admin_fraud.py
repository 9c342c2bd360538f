"""Fraud alerts: who works for the bank reads them, and admins who may decide about them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api.approvals import StaffAnswer
from accounts.api.callers import caller_of
from accounts.api.fields import AccountNumberField, UserIdField
from accounts.api.views import HeadOfficeView
from accounts.reasons import LONGEST_REASON
from core import clock
from core.api.access import ADMIN, EMPLOYEE, Access
from core.api.pages import PageFilters
from core.api.representation import given, instant
from core.api.schema import operation
from core.api.serializers import (
    BooleanField,
    ChoiceField,
    InstantField,
    LineField,
    ListField,
    StrictSerializer,
    TextField,
    UuidField,
)
from core.api.views import caller_pk
from transactions.fraud.deciding import DECIDE, DECISIONS, decide
from transactions.fraud.findings import Rule
from transactions.fraud.models import AlertState, FraudAlert
from transactions.fraud.queue import LOOKED_AT, alert_known, alerts, note_alerts_viewed
from transactions.fraud.wording import explanation

_LOOK: Final = Access(
    EMPLOYEE, ADMIN, scope="admin:read", permission="transactions.view_fraudalert"
)
_DECIDE: Final = Access(ADMIN, scope="admin:write", permission=DECIDE)
_ALERT: Final = {
    "id": "019cac0c-0800-8b1e-a2d3-0f0a7d6ac001",
    "rule": "velocity",
    "explanation": "12 payments in 10 minutes; this customer's usual is 2.",
    "account": "100000000017",
    "transfers": ["019cac0c-1234-7abc-8def-0123456789ab"],
    "happened_at": "2026-03-02T09:30:00Z",
    "raised_at": "2026-03-02T09:30:08Z",
    "state": "open",
}
# As many as a course has.
_MOST_TRANSFERS: Final = 400
_REASON: Final = "she knows nothing of it"


class AlertAnswer(Serializer[Any]):
    """Why something was found suspicious, about which account or person, and what was decided."""

    id = UuidField()
    rule = ChoiceField(Rule.values)
    explanation = TextField()
    account = AccountNumberField(required=False)
    user_id = UserIdField(required=False)
    transfers = ListField(child=UuidField(), most=_MOST_TRANSFERS)
    happened_at = InstantField()
    raised_at = InstantField()
    state = ChoiceField(AlertState.values)
    decided_by = StaffAnswer(required=False)
    decided_at = InstantField(required=False)
    reason = TextField(required=False)


class AlertsAnswer(Serializer[Any]):
    """A page of alerts, the latest first."""

    fraud_alerts = AlertAnswer(many=True)
    has_more = BooleanField()
    next_cursor = TextField(required=False)


class AlertFilters(PageFilters):
    """Which alerts."""

    state = ChoiceField(AlertState.values, required=False)
    rule = ChoiceField(Rule.values, required=False)


class DecisionBody(StrictSerializer):
    """What is thought of an alert, and why; `freeze` asks for the account to be frozen."""

    state = ChoiceField([one.value for one in DECISIONS])
    reason = LineField(least=1, longest=LONGEST_REASON)
    freeze = BooleanField(required=False, default=False)


class FraudAlerts(HeadOfficeView):
    """Fraud alerts."""

    access: ClassVar = {"GET": _LOOK}
    filters = AlertFilters

    @operation(answer=AlertsAnswer, example={"fraud_alerts": [_ALERT], "has_more": False})
    def get(self, request: Request) -> Response:
        """List alerts, the latest first. Whom they are about can see that you looked."""
        page = self.page(request)
        after = page.after and (datetime.fromisoformat(page.after[0]), UUID(page.after[1]))
        found = alerts(
            state=self.filtered.get("state"),
            rule=self.filtered.get("rule"),
            before=after or None,
            limit=page.sought,
        )
        _note_look(request, page.shown(found))
        return Response(
            page.answer(
                "fraud_alerts",
                found,
                show=_shown,
                position=lambda one: [one.raised_at.isoformat(), str(one.pk)],
            )
        )


class FraudAlertDetail(HeadOfficeView):
    """One fraud alert."""

    access: ClassVar = {"GET": _LOOK}

    @operation(answer=AlertAnswer, example=_ALERT)
    def get(self, request: Request, alert_id: UUID) -> Response:
        """Show an alert. Whom it is about can see that you looked."""
        found = alert_known(alert_id)
        _note_look(request, [found])
        return Response(_shown(found))


class FraudAlertDecision(HeadOfficeView):
    """What is thought of an alert."""

    access: ClassVar = {"POST": _DECIDE}

    @operation(
        body=DecisionBody,
        body_example={"state": "confirmed", "reason": _REASON, "freeze": True},
        answer=AlertAnswer,
        example={
            **_ALERT,
            "state": "confirmed",
            "decided_by": {"user_id": "10000000025", "full_name": "Vivek Menon"},
            "decided_at": "2026-03-02T10:00:00Z",
            "reason": _REASON,
        },
    )
    def post(self, request: Request, alert_id: UUID) -> Response:
        """Decide about an alert; it can be watched first, and is dismissed or confirmed once.

        With `freeze` it is asked that the account is frozen: a second admin approves.
        """
        asked = DecisionBody.read(request.data)
        decide(
            alert_id,
            state=AlertState(asked["state"]),
            reason=asked["reason"],
            freeze=asked["freeze"],
            admin=caller_of(request),
            now=clock.now(),
        )
        found = alert_known(alert_id)
        _note_look(request, [found])
        return Response(_shown(found))


def _note_look(request: Request, found: Sequence[FraudAlert]) -> None:
    note_alerts_viewed(found, viewer=caller_pk(request), what=LOOKED_AT)


def _shown(alert: FraudAlert) -> dict[str, Any]:
    by, decided = alert.decided_by, alert.decided_at
    return given(
        id=str(alert.pk),
        rule=alert.rule,
        explanation=explanation(alert),
        account=None if alert.account is None else str(alert.account),
        user_id=None if alert.person is None else str(alert.person.number),
        transfers=[str(one) for one in alert.transfers],
        happened_at=instant(alert.happened_at),
        raised_at=instant(alert.raised_at),
        state=alert.state,
        decided_by=None if by is None else {"user_id": str(by.number), "full_name": by.full_name},
        decided_at=None if decided is None else instant(decided),
        reason=alert.reason or None,
    )
