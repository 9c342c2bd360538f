"""Deciding about applications: one loan officer proposes, another admin approves; or it is refused.

A score advises who reviews it, and decides nothing: a person reviews each application.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.approvals import approvable, ask_approval
from accounts.models import Approval, ApprovalState
from accounts.reasons import given_reason
from core import clock
from core.clock import bank_day
from core.errors import DomainError
from core.money import Money
from loans.applying import NotInState, UnknownApplication
from loans.models import ApplicationState, Document, LoanApplication
from loans.quoting import OutsideProduct, check_within

GRANT: Final = "loans.grant_loan"
REVIEW: Final = "loans.review_loan"
OFFER_DAYS: Final = timedelta(days=14)


class DocumentsMissing(DomainError):
    """An application lacks documents that nobody has seen yet."""

    code = "documents_missing"


def note_documents(application: UUID, *, seen: Collection[str]) -> None:
    """Note which documents of an applicant were seen.

    Raises:
        UnknownApplication, NotInState
    """
    under_review(application)
    known = [str(one) for one in Document if one in seen]
    LoanApplication.objects.filter(pk=application).update(documents_seen=known)


def propose(application: UUID, *, amount: Money, months: int, maker: int, reason: str) -> Approval:
    """Propose to lend, what was asked for or less; another admin must approve. Once at a time.

    Raises:
        UnknownApplication, NotInState, DocumentsMissing
        OutsideProduct: no such amount or term, or more than was asked for.
        InvalidText: the reason is empty, too long, or not one line.
    """
    asked = under_review(application)
    if set(Document.values) - set(asked.documents_seen):
        message = _("Note that all documents were seen before you propose the loan.")
        raise DocumentsMissing(message)
    check_within(asked.terms, amount, months=months)
    if amount.minor > asked.amount:
        message = _("This is more than was asked for.")
        raise OutsideProduct(message, code="more_than_asked", field="amount")
    known = proposal_of(application)
    payload = {
        "application": str(application),
        "account": str(asked.account),
        "person": asked.applicant_id,
        "amount": amount.minor,
        "currency": amount.currency,
        "months": months,
    }
    return known or ask_approval(maker=maker, action=GRANT, payload=payload, reason=reason)


def proposal_of(application: UUID) -> Approval | None:
    """Return the proposal about an application that is not decided or not done yet, if any."""
    waiting = [ApprovalState.WAITING, ApprovalState.APPROVED]
    asked = Approval.objects.filter(action=GRANT, payload__application=str(application))
    return asked.filter(state__in=waiting).first()


def refuse_application(application: UUID, *, reason: str, now: datetime) -> None:
    """Refuse an application, with a reason that the applicant reads.

    Raises:
        UnknownApplication, NotInState
        InvalidText: the reason is empty, too long, or not one line.
    """
    words = given_reason(reason)
    open_ones = LoanApplication.objects.filter(pk=application, state=ApplicationState.SUBMITTED)
    if not open_ones.update(state=ApplicationState.REFUSED, decision_reason=words, decided_at=now):
        under_review(application)


def under_review(application: UUID) -> LoanApplication:
    """Return an application that is being reviewed.

    Raises:
        UnknownApplication, NotInState
    """
    known = LoanApplication.objects.select_related("terms", "applicant")
    found = known.filter(pk=application).first()
    if found is None:
        raise UnknownApplication
    if found.state != ApplicationState.SUBMITTED:
        raise NotInState(_("This application is not under review."))
    return found


@approvable(GRANT, about=lambda payload: {payload["application"]})
def _grant(payload: Mapping[str, Any], *, maker: int, checker: int) -> Any:  # noqa: ARG001  # approvals pass it
    now = clock.now()
    until = bank_day(now) + OFFER_DAYS
    reviewed = LoanApplication.objects.filter(
        pk=payload["application"], state=ApplicationState.SUBMITTED
    )
    offered = reviewed.update(
        state=ApplicationState.OFFERED,
        amount=payload["amount"],
        months=payload["months"],
        offered_until=until,
        decided_at=now,
    )
    if not offered:
        under_review(UUID(payload["application"]))
    return {"offered_until": until.isoformat()}
