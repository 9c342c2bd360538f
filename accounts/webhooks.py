"""Webhooks of people: what needs to know the person, beside what ``notifications`` does."""

from collections.abc import Sequence
from datetime import datetime

from accounts.step_up import require_step_up
from core.api.step_up import StepUp
from notifications.webhooks.endpoints import NewSecret, check_registration, register_endpoint


def register_webhook(
    owner: int, *, url: str, event_types: Sequence[str], step_up: StepUp, now: datetime
) -> NewSecret:
    """Register an endpoint: a way by which what happens on accounts leaves the bank.

    Looks up the address's host. No transaction may be open.

    Raises:
        AddressRefused, InvalidEventTypes, EndpointExists, TooManyEndpoints
        StepUpRequired, WrongStepUpCode
    """
    check_registration(owner, url=url, event_types=event_types)
    require_step_up(
        owner,
        action="register_webhook",
        fingerprint=step_up.fingerprint,
        challenge=step_up.challenge,
        code=step_up.code,
        now=now,
    )
    return register_endpoint(owner, url=url, event_types=event_types, now=now)
