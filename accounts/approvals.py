"""Maker and checker: what one admin asks for, another approves or refuses.

A request is decided once, by the statement that takes it from ``waiting``. What is approved is
carried out at once, or, if the node that it needs is silent or this process dies, by ``manage.py
watch``: so every action must be safe to carry out twice. Its payload holds ``approval``, the
request's own id, as a key for that.

Of two decisions about the same, the later one stands: what was approved before and is not done yet
is not done any more, also when the later one needed no approval (``overtake``).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, Protocol

import psycopg
import structlog
from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.audit import acting
from accounts.models import Approval, ApprovalState, Holding, Role, User
from accounts.reasons import LONGEST_REASON, given_reason
from accounts.standing import role_of
from accounts.step_up import require_step_up
from accounts.turns import alone_with, keep_others_away
from core.api.step_up import StepUp
from core.errors import DomainError

DECIDE: Final = "accounts.decide_approval"
"""The permission that admins need to decide about requests."""

LIFE: Final = timedelta(days=7)
_TAKE_OVER: Final = timedelta(seconds=30)
_MOST_AT_ONCE: Final = 20
_OVERTAKEN: Final = "A later decision about the same overtook this one."

_log = structlog.get_logger(__name__)


class UnknownApproval(DomainError):
    """There is no such request."""

    code = "unknown_approval"
    http_status = 404

    def __init__(self) -> None:
        super().__init__(_("There is no such request."))


class OwnRequest(DomainError):
    """Nobody decides about what they asked for themselves, or what is about them."""

    code = "own_request"
    http_status = 403


class AlreadyDecided(DomainError):
    """A request is decided, or has expired."""

    code = "already_decided"
    http_status = 409

    def __init__(self) -> None:
        super().__init__(_("This request is decided already, or has expired."))


class OutdatedRequest(DomainError):
    """What was asked for no longer fits: much has happened since."""

    code = "request_outdated"
    http_status = 409


class BeingDone(DomainError):
    """Something approved about the same is being carried out; nothing was done."""

    code = "being_done"
    http_status = 409

    def __init__(self) -> None:
        super().__init__(
            _("Something approved about the same is being done; try again in a moment.")
        )


class Action(Protocol):
    """What is done when a request is approved."""

    def __call__(self, payload: Mapping[str, Any], *, maker: int, checker: int) -> Any:
        """Do it, and return what is to be kept of it, as JSON.

        Raises:
            DomainError: it cannot be done.
        """


About = Callable[[Mapping[str, Any]], Collection[str]]
Concerns = Callable[[Mapping[str, Any]], Collection[int]]


@dataclass(frozen=True, slots=True)
class _Registered:
    """An action, what a request of it would change, and which accounts it is about besides."""

    do: Action
    about: About
    concerns: Concerns


_actions: Final[dict[str, _Registered]] = {}


def approvable(
    name: str,
    *,
    about: About = lambda _payload: (),
    concerns: Concerns = lambda _payload: (),
) -> Callable[[Action], Action]:
    """Return a decorator of what is done when a request of this ``name`` is approved.

    ``about`` tells from a payload what would be changed, so that the later of two decisions about
    the same stands. ``concerns`` tells which accounts a request is about that its payload does not
    name, so that their holders do not decide; it is asked at each decision, and may raise a
    ``DomainError`` when it cannot tell. The module must be imported by its app's ``ready``.
    """

    def register(action: Action) -> Action:
        _actions[name] = _Registered(action, about, concerns)
        return action

    return register


def ask_approval(*, maker: int, action: str, payload: Mapping[str, Any], reason: str) -> Approval:
    """Ask for a change that somebody else must approve. ``payload`` is JSON.

    Raises:
        InvalidText: the reason is empty, too long, or not one line.
        ValueError: there is no such action.
    """
    if action not in _actions:
        message = f"no action {action!r} is registered"
        raise ValueError(message)
    return Approval.objects.create(
        maker_id=maker,
        maker_role=role_of(User.objects.get(pk=maker)),
        action=action,
        payload=dict(payload),
        reason=given_reason(reason),
    )


def may_decide(approval: Approval, *, person: int) -> bool:
    """Tell whether a request is open for a person's decision, as far as it is not their own.

    While a branch is silent that would have to tell whose it is, nobody may.
    """
    return approval.state == ApprovalState.WAITING and why_not(approval, person=person) is None


def waiting_for(person: int, *, among: QuerySet[Approval] | None = None) -> QuerySet[Approval]:
    """Return the requests that wait for somebody else than who made them, as a person is.

    Of some of them the person may turn out to be concerned: ``why_not`` tells.
    """
    found = Approval.objects.all() if among is None else among
    return found.filter(state=ApprovalState.WAITING).exclude(maker=person)


def why_not(approval: Approval, *, person: int) -> str | None:
    """Say why a person does not decide about a request, whatever its state; None: they may."""
    try:
        _refuse_own(approval, person)
    except DomainError as error:
        return error.message
    return None


def approve(approval_id: int, *, checker: int) -> Approval:
    """Approve a request and carry it out. No transaction may be open.

    The answer tells what came of it: ``done``; ``failed``, with the reason; or still ``approved``
    while the node that it needs is silent.

    Raises:
        UnknownApproval, OwnRequest, AlreadyDecided
        DomainError: nobody can tell just now whom it concerns.
    """
    return _carry_out(_decide(approval_id, checker=checker, state=ApprovalState.APPROVED))


def approve_with_code(
    approval_id: int, *, checker: int, step_up: StepUp, now: datetime
) -> Approval:
    """Approve a request, as ``approve``, once the checker gives the code for it.

    Raises:
        UnknownApproval, OwnRequest, AlreadyDecided
        DomainError: nobody can tell just now whom it concerns.
        StepUpRequired, WrongStepUpCode, TooManyCodes, NoStepUp, MailNotSent, HeadOfficeSilent
    """
    approval = approval_known(approval_id)
    _refuse_own(approval, checker)
    if approval.state != ApprovalState.WAITING:
        raise AlreadyDecided
    require_step_up(
        checker,
        action="approve",
        fingerprint=step_up.fingerprint,
        challenge=step_up.challenge,
        code=step_up.code,
        now=now,
    )
    return approve(approval_id, checker=checker)


def refuse(approval_id: int, *, checker: int, reason: str) -> Approval:
    """Refuse a request, so that nothing is done.

    Raises:
        UnknownApproval, OwnRequest, AlreadyDecided
        DomainError: nobody can tell just now whom it concerns.
        InvalidText: the reason is empty, too long, or not one line.
    """
    words = given_reason(reason)
    return _decide(approval_id, checker=checker, state=ApprovalState.REFUSED, words=words)


def approvals(
    *, state: str | None, before: int | None, limit: int, using: str = "default"
) -> list[Approval]:
    """Return up to ``limit`` requests, newest first: those in a state, those before a key."""
    found = _with_people(using)
    if state is not None:
        found = found.filter(state=state)
    if before is not None:
        found = found.filter(pk__lt=before)
    return list(found[:limit])


def approval_known(approval_id: int, *, using: str = "default") -> Approval:
    """Return a request.

    Raises:
        UnknownApproval
    """
    found = _with_people(using).filter(pk=approval_id).first()
    if found is None:
        raise UnknownApproval
    return found


def approvals_about(
    person: int, accounts: Collection[int], *, using: str = "default"
) -> QuerySet[Approval]:
    """Return the requests about a person or an account of theirs, newest first."""
    named = Q(payload__person=person) | Q(payload__account__in=[str(one) for one in accounts])
    return _with_people(using).filter(named)


def carry_out_left_over() -> int:
    """Carry out what was approved and not done by whoever approved it; return how many were tried.

    No transaction may be open. What nobody decided about in time expires, and so does what could
    not be done in time.
    """
    waiting = Approval.objects.filter(state=ApprovalState.WAITING, asked_at__lte=Now() - LIFE)
    waiting.update(state=ApprovalState.EXPIRED)
    left_over = Approval.objects.filter(
        state=ApprovalState.APPROVED, tried_at__lte=Now() - _TAKE_OVER
    ).order_by("tried_at", "decided_at")
    left_over.filter(decided_at__lte=Now() - LIFE).order_by().update(
        state=ApprovalState.EXPIRED, words="It could not be done within a week."
    )
    tried = 0
    for approval in left_over[:_MOST_AT_ONCE]:
        seen = left_over.filter(pk=approval.pk, tried_at=approval.tried_at)
        if seen.order_by().update(tried_at=Now()):
            _carry_out(approval)
            tried += 1
    return tried


def overtake(action: str, payload: Mapping[str, Any]) -> None:
    """Let nothing be done any more that was approved about the same and is not done yet.

    For changes that need no approval, made in the same transaction, which must be open: until it
    ends, nothing about the same is carried out.

    Raises:
        BeingDone: something about the same is being carried out just now.
    """
    places = _places(action, payload)
    if not keep_others_away(places):
        raise BeingDone
    approved = Approval.objects.filter(action=action, state=ApprovalState.APPROVED).order_by()
    overtaken = [
        pk
        for pk, other in approved.values_list("pk", "payload")
        if not places.isdisjoint(_places(action, other))
    ]
    approved.filter(pk__in=overtaken).update(state=ApprovalState.FAILED, words=_OVERTAKEN)


def _places(action: str, payload: Mapping[str, Any]) -> set[str]:
    """Return what a request would change, as changes of the same are locked by."""
    return {f"{action} {one}" for one in _actions[action].about(payload)}


def _with_people(using: str) -> QuerySet[Approval]:
    return Approval.objects.using(using).select_related("maker", "checker")


def _decide(approval_id: int, *, checker: int, state: ApprovalState, words: str = "") -> Approval:
    approval = approval_known(approval_id)
    # Before the transaction: a branch may have to tell whose accounts they are.
    _refuse_own(approval, checker)
    with transaction.atomic(durable=True):
        decidable = Approval.objects.filter(
            pk=approval_id, state=ApprovalState.WAITING, asked_at__gt=Now() - LIFE
        )
        decision = {"state": state, "checker": checker, "words": words}
        if not decidable.update(**decision, decided_at=Now(), tried_at=Now()):
            raise AlreadyDecided
    approval.refresh_from_db()
    return approval


def _refuse_own(approval: Approval, checker: int) -> None:
    if approval.maker_id == checker:
        message = _("Somebody else must decide about what you asked for.")
        raise OwnRequest(message)
    if _concerns(approval, checker):
        message = _("Somebody else must decide about what concerns you.")
        raise OwnRequest(message)


def _concerns(approval: Approval, person: int) -> bool:
    """Tell whether a request is about a person, or an account that they hold."""
    if approval.payload.get("person") == person:
        return True
    registered = _actions.get(approval.action)
    concerned = registered.concerns(approval.payload) if registered else ()
    named = approval.payload.get("account")
    accounts = [*concerned, *([] if named is None else [int(named)])]
    return Holding.objects.filter(account__in=accounts, user=person).exists()


def _carry_out(approval: Approval) -> Approval:
    """Do what was approved and note what came of it; what a silent node holds up stays approved.

    So does what must wait for another change of the same: one that is under way, however long it
    takes, or an earlier decision that is about to be carried out.
    """
    earlier = Q(state=ApprovalState.APPROVED, tried_at__gt=Now() - _TAKE_OVER)
    earlier &= _decided("lt", approval)
    places = {*_places(approval.action, approval.payload), f"approval {approval.pk}"}
    with alone_with(places) as is_alone:
        approval.refresh_from_db()
        is_open = approval.state == ApprovalState.APPROVED
        if is_alone and is_open and not _same_changed(approval, by=earlier):
            _do(approval)
            approval.refresh_from_db()
    return approval


def _do(approval: Approval) -> None:
    checker = int(approval.checker_id or 0)
    payload = {**approval.payload, "approval": str(approval.pk)}
    try:
        with acting(by=checker, credential=f"approval:{approval.pk}", reason=approval.reason):
            _refuse_outdated(approval)
            action = _actions[approval.action].do
            result = action(payload, maker=approval.maker_id, checker=checker)
    except DomainError as error:
        if error.http_status != HTTPStatus.SERVICE_UNAVAILABLE:
            _note(approval, state=ApprovalState.FAILED, words=error.message[:LONGEST_REASON])
        else:
            _log.warning("approval_postponed", approval=approval.pk, error=error.message)
    except (DatabaseError, psycopg.Error) as error:
        reason = " ".join(str(error).split())
        _log.warning("approval_postponed", approval=approval.pk, error=reason)
    else:
        _note(approval, state=ApprovalState.DONE, result=result)


def _note(approval: Approval, **outcome: Any) -> None:
    """Write down what came of it, unless somebody else has."""
    mine = Approval.objects.filter(pk=approval.pk, state=ApprovalState.APPROVED)
    mine.update(**outcome)


def _refuse_outdated(approval: Approval) -> None:
    """Refuse what a later decision overtook, or whose maker or checker was dismissed since.

    Raises:
        OutdatedRequest
    """
    stands = Q(state__in=[ApprovalState.APPROVED, ApprovalState.DONE])
    if _same_changed(approval, by=stands & _decided("gt", approval)):
        raise OutdatedRequest(_OVERTAKEN)
    if _is_dismissed(User.objects.get(pk=approval.maker_id), approval.maker_role):
        message = _(
            "Who asked for this is not any more what they were then; it must be asked anew."
        )
        raise OutdatedRequest(message)
    if not User.objects.get(pk=int(approval.checker_id or 0)).has_perm(DECIDE):
        message = _("Who approved this may not decide any more; it must be asked anew.")
        raise OutdatedRequest(message)


def _is_dismissed(maker: User, role: str) -> bool:
    """Tell whether somebody who asked as one who works for the bank is that no more.

    What customers asked for is decided for what it is. Requests of an earlier release do not tell
    the ``role``.
    """
    now = role_of(maker)
    asked_as = role or now
    return asked_as != Role.CUSTOMER and (not maker.is_active or now != asked_as)


def _decided(when: str, approval: Approval) -> Q:
    """Return what finds decisions before one (``lt``), or after it (``gt``)."""
    at = approval.decided_at
    return Q(**{f"decided_at__{when}": at}) | Q(**{f"pk__{when}": approval.pk}, decided_at=at)


def _same_changed(approval: Approval, *, by: Q) -> bool:
    """Tell whether any of the decisions that ``by`` finds would change the same."""
    about = _actions[approval.action].about
    mine = {*about(approval.payload)}
    others = Approval.objects.filter(by, action=approval.action).order_by()
    return bool(mine) and any(
        not mine.isdisjoint(about(payload)) for payload in others.values_list("payload", flat=True)
    )
