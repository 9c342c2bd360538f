"""Transfers for a day to come: left with the bank now, and sent when that day begins."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _

from accounts.callers import Caller
from accounts.step_up import require_step_up
from core.api.step_up import StepUp
from core.clock import bank_day
from core.errors import DomainError
from transactions.payments.models import ScheduledTransfer
from transactions.payments.parties import check_parties
from transactions.payments.scheduling import queue_transfer, queued_before
from transactions.policy import check_key_limit, needs_step_up
from transactions.services import TransferRequest

FURTHEST: Final = timedelta(days=366)


class InvalidDay(DomainError):
    """A transfer cannot be left for this day; ``code`` says why."""

    code = "invalid_day"


def leave_for_day(
    caller: Caller,
    request: TransferRequest,
    *,
    day: date,
    step_up: Callable[[], StepUp],
    now: datetime,
) -> ScheduledTransfer:
    """Leave a transfer with the bank for a day to come; a large one takes its code now.

    Limits and money are looked at on the day. The same request again answers with the same one. No
    transaction may be open.

    Raises:
        InvalidDay: it is no day to come, or too far ahead.
        Refused: it could never be sent, or its key stands for another one.
        KeyLimitExceeded, StepUpRequired, WrongStepUpCode
        BranchDown: a branch does not answer.
    """
    earlier = check_for_day(caller, request, day=day, now=now)
    if earlier is not None:
        return earlier
    if needs_step_up(caller, request.amount):
        require_step_up(caller.pk, action="send money", **asdict(step_up()), now=now)
    return queue_transfer(request, now=now, day=day)


def check_for_day(
    caller: Caller, request: TransferRequest, *, day: date, now: datetime
) -> ScheduledTransfer | None:
    """Check that a transfer can be left for a day, and return the one left before, if any.

    Raises:
        InvalidDay, Refused, KeyLimitExceeded, BranchDown
    """
    earlier = queued_before(request, day=day)
    if earlier is not None:
        return earlier
    today = bank_day(now)
    if day <= today:
        message = _("Choose a day to come; what goes today is sent at once.")
        raise InvalidDay(message, code="day_not_ahead", field="day")
    if day - today > FURTHEST:
        message = _("Choose a day within a year.")
        raise InvalidDay(message, code="day_too_far", field="day")
    check_key_limit(caller, request.amount)
    check_parties(request.debit, request.credit, request.amount, user=request.user)
    return None
