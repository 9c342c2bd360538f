"""Applications for loans: a draft, sent in, withdrawn. Who decides is ``deciding``'s."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Account, AccountStatus, Rights
from core.errors import DomainError
from core.money import Money
from core.text import InvalidText, one_line
from loans.models import ApplicationState, LoanApplication, LoanTerms
from loans.products import terms_of
from loans.quoting import quote_by
from loans.risk.assessing import assess, warm_up
from transactions.payments.parties import payer_account

LONGEST_PURPOSE: Final = 140
_CHANGEABLE: Final = (ApplicationState.DRAFT,)
_WITHDRAWABLE: Final = (
    ApplicationState.DRAFT,
    ApplicationState.SUBMITTED,
    ApplicationState.OFFERED,
)


class UnknownApplication(DomainError):
    """There is no such application of the person's."""

    code = "unknown_loan_application"
    http_status = 404

    def __init__(self) -> None:
        super().__init__(_("There is no such application."))


class ApplicationUnderWay(DomainError):
    """A person has another application that is not decided yet, or an offer."""

    code = "loan_application_under_way"
    http_status = 409

    def __init__(self) -> None:
        super().__init__(_("You have another application under way; wait for it, or withdraw it."))


class NotInState(DomainError):
    """An application is not in the state for this."""

    code = "loan_application_state"
    http_status = 409


class UnfitAccount(DomainError):
    """An account cannot take a loan; ``code`` says why."""

    code = "unfit_account"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanWish:
    """What a customer wants: a product in the account's currency, an amount, a term, and why."""

    product: str
    account: int
    amount: Money
    months: int
    purpose: str
    monthly_income: Money


def save_draft(user: int, wish: LoanWish, *, now: datetime) -> LoanApplication:
    """Keep a wish for later; a person has one draft for each product and currency.

    Raises:
        NoSuchLoanProduct, OutsideProduct, InvalidBorrowing, InvalidText, UnfitAccount
        Refused: no such account of theirs.
        BranchDown: its branch does not answer.
    """
    warm_up()
    terms = terms_of(wish.product, wish.amount.currency, now=now)
    figures = _figures(user, wish, terms, now=now)
    drafts = LoanApplication.objects.filter(
        applicant=user,
        state=ApplicationState.DRAFT,
        terms__product=wish.product,
        terms__currency=wish.amount.currency,
    )
    with transaction.atomic():
        draft = drafts.select_for_update().first()
        if draft is None:
            return LoanApplication.objects.create(applicant_id=user, created_at=now, **figures)
        LoanApplication.objects.filter(pk=draft.pk).update(**figures)
    return application_of(user, application=draft.pk)


def submit(user: int, *, application: UUID, now: datetime) -> LoanApplication:
    """Send a draft in, by the terms of today; sent in twice, it is sent in once. Then it is scored.

    A score that cannot be had holds nothing up: a person looks without it.

    Raises:
        UnknownApplication, NotInState, ApplicationUnderWay
        OutsideProduct, InvalidBorrowing: today's terms are others.
    """
    draft = application_of(user, application=application)
    if draft.state == ApplicationState.SUBMITTED:
        assess(draft, now=now)
        return draft
    terms = terms_of(draft.terms.product, draft.terms.currency, now=now)
    quote_by(terms, draft.money, months=draft.months, now=now)
    try:
        with transaction.atomic():
            sent = LoanApplication.objects.filter(pk=draft.pk, state__in=_CHANGEABLE).update(
                state=ApplicationState.SUBMITTED, submitted_at=now, terms=terms
            )
    except IntegrityError as error:
        raise ApplicationUnderWay from error
    if not sent:
        raise NotInState(_("This application was sent in before."))
    submitted = application_of(user, application=application)
    assess(submitted, now=now)
    return submitted


def withdraw(user: int, *, application: UUID, now: datetime) -> None:
    """Give an application or an offer up.

    Raises:
        UnknownApplication, NotInState
    """
    mine = application_of(user, application=application)
    if mine.state == ApplicationState.WITHDRAWN:
        return
    open_ones = LoanApplication.objects.filter(pk=mine.pk, state__in=_WITHDRAWABLE)
    if not open_ones.filter(loan__isnull=True).update(
        state=ApplicationState.WITHDRAWN, decided_at=now
    ):
        raise NotInState(_("This application is decided already."))


def application_of(user: int, *, application: UUID) -> LoanApplication:
    """Return one of a person's applications.

    Raises:
        UnknownApplication
    """
    mine = LoanApplication.objects.filter(applicant=user).select_related("terms")
    found = mine.filter(pk=application).first()
    if found is None:
        raise UnknownApplication
    return found


def applications_of(user: int) -> Sequence[LoanApplication]:
    """Return a person's applications that are no loans yet, the newest first."""
    mine = LoanApplication.objects.filter(applicant=user).select_related("terms")
    return list(mine.exclude(state=ApplicationState.ACCEPTED)[:50])


def applications_sent_by(user: int) -> Sequence[LoanApplication]:
    """Return what a person sent in, the newest first; drafts are their writer's own."""
    sent = LoanApplication.objects.filter(applicant=user).select_related("terms")
    return list(sent.exclude(state=ApplicationState.DRAFT)[:50])


def _figures(user: int, wish: LoanWish, terms: LoanTerms, *, now: datetime) -> dict[str, object]:
    quote_by(terms, wish.amount, months=wish.months, now=now)
    check_account(user, wish.account, currency=terms.currency)
    purpose = one_line(wish.purpose, longest=LONGEST_PURPOSE, field="purpose")
    if not purpose:
        message = _("Say what the loan is for.")
        raise InvalidText(message, code="purpose_missing", field="purpose")
    return {
        "account": wish.account,
        "terms": terms,
        "amount": wish.amount.minor,
        "months": wish.months,
        "purpose": purpose,
        "monthly_income": wish.monthly_income.minor,
    }


def check_account(user: int, account: int, *, currency: str) -> None:
    """Check that a loan can be paid out to an account and repaid from it.

    Raises:
        UnfitAccount
        Refused: no such account of theirs.
        BranchDown: its branch does not answer.
    """
    found = payer_account(account, user=user)
    known = Account.objects.filter(pk=account).first()
    if found.rights != Rights.OWNER or known is None:
        message = _("Only an owner of the account takes a loan to it.")
        raise UnfitAccount(message, code="not_the_owner", field="account")
    if found.currency != currency:
        message = _("The account is in another currency than the loan.")
        raise UnfitAccount(message, code="currencies_differ", field="account")
    if known.status != AccountStatus.OPEN:
        message = _("The account is not open: no money moves on it.")
        raise UnfitAccount(message, code="account_not_open", field="account")
