"""What admins do about customers' accounts: at once, or once a second admin approves.

Closing, lowering limits and authorising persons count at once. Freezing, unfreezing, raising
limits, overdrafts and owners wait for the second admin. Whatever is asked for under a key is asked
for once.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.approvals import approvable, overtake
from accounts.audit import acting
from accounts.callers import Caller
from accounts.models import (
    Account,
    Approval,
    ApprovalState,
    Holding,
    Rights,
    Role,
    User,
    UserStatus,
)
from accounts.reasons import given_reason
from core.db.errors import Busy
from core.errors import DomainError
from transactions.asking_once import ask_once
from transactions.branches.outcomes import BranchDown, OutcomeUnknown
from transactions.branches.registry import node_of
from transactions.governing import change_holder, change_limits, change_status
from transactions.interest.closing import Closing, close_with_interest
from transactions.interest.earned import Earned, earned_until_now
from transactions.ledger.accounts import Limit, Status
from transactions.ledger.codes import Code, Refused
from transactions.ledger.reads import keys_used
from transactions.limits.changing import (
    CHANGE_LIMITS,
    LimitsRequest,
    drop_raises,
    give_up_raises,
    limits_payload,
    limits_to_change,
    raised_limits,
)
from transactions.payments.parties import silence_named_down

CHANGE_STATUS: Final = "transactions.change_account_status"
CHANGE_HOLDER: Final = "transactions.change_account_holder"

AskedStatus = Literal[Status.OPEN, Status.FROZEN]
HeldRights = Literal["owner", "authorised"]


class LastOwner(DomainError):
    """An account keeps an owner."""

    code = "last_owner"
    http_status = 409


class NotACustomer(DomainError):
    """Only active customers hold accounts."""

    code = "not_a_customer"


def account_governed(number: int) -> Account:
    """Return a customer's account as the head office knows it.

    Raises:
        Refused: there is no such account.
    """
    found = Account.objects.filter(pk=number).first()
    if found is None:
        raise Refused(Code.UNKNOWN_ACCOUNT)
    return found


def check_customer(person: User) -> None:
    """Check that a person can hold an account.

    Raises:
        NotACustomer
    """
    if person.role != Role.CUSTOMER or person.status != UserStatus.ACTIVE:
        message = _("Only active customers hold accounts.")
        raise NotACustomer(message, field="user_id")


def interest_at_closing(number: int, *, now: datetime) -> Earned:
    """Return what closing an account would pay out, as of now.

    Raises:
        Refused: there is no such account.
        BranchDown: a branch where it has lived does not answer.
    """
    return earned_until_now(number, currency=account_governed(number).currency, now=now)


def close_account(  # a closing is what these are
    number: int,
    *,
    admin: Caller,
    key: str,
    reason: str,
    now: datetime,
    payout: int | None = None,
) -> Account:
    """Close an account for good; it must be at zero, with nothing on hold.

    What it has earned is paid out with it, to another account of an owner: ``payout``.

    Raises:
        Refused: with the reason; nothing was changed.
        InterestDue: something was earned, and ``payout`` is None; the sum is named.
        DayNotClosed, PayoutNotOwners, PayoutElsewhere
        InvalidText: the reason is empty, too long, or not one line.
        BranchDown, OutcomeUnknown: its branch does not answer.
    """
    words = given_reason(reason)
    account_governed(number)
    wanted = Closing(account=number, payout=payout, client=admin.pk, key=key, reason=words)
    with acting(by=admin.pk, credential=admin.credential, reason=words):
        close_with_interest(wanted, now=now)
    return account_governed(number)


def ask_status(
    number: int, *, status: AskedStatus, admin: Caller, key: str, reason: str
) -> Approval:
    """Ask that an account is frozen, or opened again.

    Raises:
        Refused: there is no such account, it is closed, or the key stands for another request.
        InvalidText: the reason is empty, too long, or not one line.
    """
    if account_governed(number).status == Status.CLOSED:
        raise Refused(Code.ACCOUNT_CLOSED)
    payload = {"account": str(number), "status": str(status)}
    return ask_once(CHANGE_STATUS, payload, maker=admin.pk, key=key, reason=reason)


def change_account_limits(
    request: LimitsRequest, *, admin: Caller, key: str, reason: str, now: datetime
) -> Approval | None:
    """Lower limits of an account at once, and ask that the others of the request are raised.

    Raises of the same limits that cool off are forgotten. Asked again, nothing more is done,
    whatever has become of the limits.

    Raises:
        Refused: with the reason; nothing was changed.
        InvalidText: the reason is empty, too long, or not one line.
        BranchDown, OutcomeUnknown: its branch does not answer.
    """
    words = given_reason(reason)
    known = limits_to_change(request, now=now)
    were_lowered = _was_used(key, client=admin.pk, account=request.account)
    asked = Approval.objects.filter(maker=admin.pk, action=CHANGE_LIMITS, payload__key=key).first()
    if asked is not None:
        raised = {
            name: to for name, to in request.wanted.items() if name in asked.payload["limits"]
        }
    else:
        raised = {} if were_lowered else raised_limits(known, request.wanted)
    lowered = {limit: to for limit, to in request.wanted.items() if limit not in raised}
    # Asked for first: by what is asked for one knows afterwards what was lowered.
    approval = _ask_limits(request.account, raised, admin, key, words) if raised else None
    if lowered:
        try:
            with acting(by=admin.pk, credential=admin.credential, reason=words):
                _lower(request.account, lowered, admin, key, words, is_again=were_lowered)
        except (Refused, BranchDown, Busy):
            if approval is not None and asked is None:
                _withdraw(approval)
            raise
    return approval


def ask_overdraft(
    request: LimitsRequest, *, admin: Caller, key: str, reason: str, now: datetime
) -> Approval:
    """Ask that an account may owe so much, more or less than now.

    Raises:
        Refused: there is no such account, it is closed or in another currency, or the key stands
            for another request.
        InvalidText: the reason is empty, too long, or not one line.
        BranchDown: its branch does not answer.
    """
    limits_to_change(request, now=now)
    return _ask_limits(request.account, request.wanted, admin, key, reason)


def change_rights(  # a change is what these are
    number: int, *, person: User, rights: HeldRights | None, admin: Caller, key: str, reason: str
) -> Approval | None:
    """Give a person rights on an account, or with None take them away.

    Who becomes an owner, or ceases to be one, waits for approval, which is answered with; all else
    is done at once.

    Raises:
        Refused: with the reason; nothing was changed.
        NotACustomer, LastOwner
        InvalidText: the reason is empty, too long, or not one line.
        BranchDown, OutcomeUnknown: its branch does not answer.
    """
    words = given_reason(reason)
    account = account_governed(number)
    if Rights.OWNER in {rights, _rights_of(person.pk, number)}:
        payload = {
            "account": str(number),
            "user_id": str(person.number),
            "person": person.pk,
            "rights": rights,
        }
        return ask_once(CHANGE_HOLDER, payload, maker=admin.pk, key=key, reason=words)
    if rights is not None:
        check_customer(person)
    is_again = _was_used(key, client=admin.pk, account=number)
    with acting(by=admin.pk, credential=admin.credential, reason=words), transaction.atomic():
        if not is_again:
            overtake(CHANGE_HOLDER, {"account": str(number), "person": person.pk})
        change_holder(account.pk, user=person.pk, rights=rights, client=admin.pk, key=key)
    return None


def _lower(  # a change is what these are
    number: int,
    lowered: Mapping[Limit, int | None],
    admin: Caller,
    key: str,
    reason: str,
    *,
    is_again: bool,
) -> None:
    """Lower limits, and forget their raises that cool off unless this was done before.

    Raises:
        Refused, BranchDown, Busy: nothing was changed, and no raise is forgotten.
        OutcomeUnknown: the branch fell silent meanwhile; the raises are forgotten.
    """
    dropped = {} if is_again else lowered
    try:
        with transaction.atomic():
            # In one transaction, so that none is applied between the two.
            drop_raises(number, dropped)
            overtake(CHANGE_LIMITS, limits_payload(number, dropped))
            change_limits(
                number,
                limits=lowered,
                is_lowering=True,
                client=admin.pk,
                key=key,
                reason=reason,
            )
    except OutcomeUnknown:
        give_up_raises(number, dropped)
        raise


def _withdraw(approval: Approval) -> None:
    """Take back what was asked for with a change that failed, unless somebody has decided."""
    Approval.objects.filter(pk=approval.pk, state=ApprovalState.WAITING).delete()


def _limits_named(payload: Mapping[str, Any]) -> set[str]:
    return {f"{payload['account']} {limit}" for limit in payload["limits"]}


def _holder_named(payload: Mapping[str, Any]) -> set[str]:
    return {f"{payload['account']} {payload['person']}"}


@approvable(CHANGE_STATUS, about=lambda payload: {payload["account"]})
def _change_status(payload: Mapping[str, Any], *, maker: int, checker: int) -> Any:  # noqa: ARG001  # approvals pass it
    change_status(
        int(payload["account"]),
        status=Status(payload["status"]),
        client=maker,
        key=_key(payload),
        reason=payload["reason"],
    )


@approvable(CHANGE_LIMITS, about=_limits_named)
def _change_limits(payload: Mapping[str, Any], *, maker: int, checker: int) -> Any:  # noqa: ARG001  # approvals pass it
    number = int(payload["account"])
    limits = {Limit(name): to for name, to in payload["limits"].items()}
    drop_raises(number, limits)
    change_limits(
        number,
        limits=limits,
        is_lowering=False,
        client=maker,
        key=_key(payload),
        reason=payload["reason"],
    )


@approvable(CHANGE_HOLDER, about=_holder_named)
def _change_holder(payload: Mapping[str, Any], *, maker: int, checker: int) -> Any:  # noqa: ARG001  # approvals pass it
    number, person = int(payload["account"]), int(payload["person"])
    rights = payload["rights"]
    if rights is not None:
        check_customer(User.objects.get(pk=person))
    if rights != Rights.OWNER:
        _refuse_last_owner(number, person)
    change_holder(number, user=person, rights=rights, client=maker, key=_key(payload))


def _ask_limits(
    number: int, limits: Mapping[Limit, int | None], admin: Caller, key: str, reason: str
) -> Approval:
    payload = limits_payload(number, limits)
    return ask_once(CHANGE_LIMITS, payload, maker=admin.pk, key=key, reason=reason)


def _key(payload: Mapping[str, Any]) -> str:
    """Return the key under which an approved change is made, however often it is tried."""
    return f"approval:{payload['approval']}"


def _was_used(key: str, *, client: int, account: int) -> bool:
    """Tell whether an admin's key was used where an account lives.

    Raises:
        BranchDown: its branch does not tell.
    """
    node = node_of(account)
    with silence_named_down(node):
        return bool(keys_used([key], client=client, using=node))


def _rights_of(person: int, number: int) -> str | None:
    found = Holding.objects.filter(account=number, user=person)
    return found.values_list("rights", flat=True).first()


def _refuse_last_owner(number: int, person: int) -> None:
    owners = Holding.objects.filter(account=number, rights=Rights.OWNER)
    if owners.exists() and not owners.exclude(user=person).exists():
        message = _("An account keeps an owner.")
        raise LastOwner(message)
