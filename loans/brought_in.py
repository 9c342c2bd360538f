"""Loans of other books: brought in as they stood when those end, each once.

Those in which all was paid as agreed come with all instalments up to then; of the others only what
rows of the books show was repaid, so that nobody is let off what nobody has seen them pay.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID, uuid5

from accounts.models import Holding, Rights
from core.errors import DomainError
from loans.models import (
    ApplicationState,
    Instalment,
    Loan,
    LoanApplication,
    LoanPlan,
    LoanProduct,
    LoanState,
    LoanTerms,
    Repayment,
    RepaymentMethod,
)
from loans.quoting import borrowing_by
from loans.schedule import MOST_MONTHS, schedule
from transactions.imports.berka.loans import END, GrantedLoan, LoanPayment
from transactions.imports.berka.rows import CURRENCY, noon
from transactions.imports.loan_histories import (
    LoanHistory,
    Repaid,
    open_brought_in,
    post_histories,
)
from transactions.lending import LoanAccounts
from transactions.services import Channel

_NAMESPACE: Final = UUID("6f1d8f0e-3c53-4a4c-9d53-0b7f4f8b6a10")
_SINCE: Final = date(1993, 1, 1)
_LARGEST: Final = 10**12
_AT_ONCE: Final = 2_000

Payments = Mapping[str, Sequence[LoanPayment]]


class LoanDiffers(DomainError):
    """A loan of the books is another one in the bank."""

    code = "loan_differs"


def bring_in(granted: Sequence[GrantedLoan], numbers: Mapping[str, int], payments: Payments) -> int:
    """Add the loans that are missing, compare all, and return how many of them the bank has.

    ``numbers`` are accounts by the books' ids. What is here stays: the bank may have changed it
    since. Needs a transaction, in which no other import writes.

    Raises:
        LoanDiffers: naming the first one.
        Refused, Busy: nothing was added.
    """
    ids = {_id(one): one for one in granted}
    known = Loan.objects.in_bulk(list(ids), field_name="application_id")
    for application, loan in known.items():
        _compare(ids[application], loan, account=numbers[ids[application].account])
    missing = [one for application, one in ids.items() if application not in known]
    if missing:
        _add(missing, numbers=numbers, payments=payments)
    return Loan.objects.filter(application__in=ids).count()


def _add(missing: Sequence[GrantedLoan], *, numbers: Mapping[str, int], payments: Payments) -> None:
    terms, owners = _terms(), _owners({numbers[one.account] for one in missing})
    opened = open_brought_in(len(missing), currency=CURRENCY)
    histories = [
        _history(one, accounts, terms, payments.get(one.account, ()))
        for one, accounts in zip(missing, opened, strict=True)
    ]
    loans = [
        _loan(one, history, terms, account=numbers[one.account], owners=owners)
        for one, history in zip(missing, histories, strict=True)
    ]
    LoanApplication.objects.bulk_create([loan.application for loan in loans])
    Loan.objects.bulk_create(loans)
    _add_plans(loans, [one.granted for one in missing])
    transfers = post_histories(histories)
    Repayment.objects.bulk_create(
        [
            _repayment(loan, one, transfers[one.reference])
            for loan, history in zip(loans, histories, strict=True)
            for one in history.repaid
        ],
        batch_size=_AT_ONCE,
    )


def _terms() -> LoanTerms:
    """Return the terms of loans that are repaid by what the books say, and by nothing beside it."""
    terms, _is_new = LoanTerms.objects.get_or_create(
        product=LoanProduct.BROUGHT_IN,
        currency=CURRENCY,
        effective_from=_SINCE,
        defaults={
            "method": RepaymentMethod.ANNUITY,
            "rate_ppm": 0,
            "least_amount": 1,
            "most_amount": _LARGEST,
            "least_months": 1,
            "most_months": MOST_MONTHS,
        },
    )
    return terms


def _owners(accounts: set[int]) -> Mapping[int, int]:
    held = Holding.objects.filter(account__in=accounts, rights=Rights.OWNER).order_by("-user")
    return dict(held.values_list("account", "user"))


def _history(
    one: GrantedLoan, accounts: LoanAccounts, terms: LoanTerms, paid: Sequence[LoanPayment]
) -> LoanHistory:
    repaid = [
        Repaid(f"berka/loan/{one.loan_id}/{place}", payment.minor, noon(payment.day))
        for place, payment in enumerate(_repaid(one, terms, paid), start=1)
    ]
    return LoanHistory(
        accounts=accounts,
        reference=f"berka/loan/{one.loan_id}",
        amount=one.amount,
        lent_at=noon(one.granted),
        repaid=repaid,
    )


def _repaid(
    one: GrantedLoan, terms: LoanTerms, paid: Sequence[LoanPayment]
) -> Iterator[LoanPayment]:
    """Yield what was repaid: by the rows, and where all went as agreed by the plan after them."""
    left = one.amount
    for payment in paid:
        minor = min(payment.minor, left)
        left -= minor
        if minor:
            yield LoanPayment(payment.day, minor)
    borrowing = borrowing_by(terms, principal=one.amount, months=one.months)
    for instalment in schedule(borrowing, start=one.granted) if one.is_as_agreed else ():
        minor = left - instalment.balance_after
        if minor > 0 and instalment.due_date < END:
            left -= minor
            yield LoanPayment(instalment.due_date, minor)


def _loan(
    one: GrantedLoan,
    history: LoanHistory,
    terms: LoanTerms,
    *,
    account: int,
    owners: Mapping[int, int],
) -> Loan:
    at = history.lent_at
    is_repaid = sum(payment.minor for payment in history.repaid) == one.amount
    application = LoanApplication(
        id=_id(one),
        applicant_id=owners[account],
        account=account,
        terms=terms,
        amount=one.amount,
        months=one.months,
        purpose=f"Loan {one.loan_id}",
        monthly_income=0,
        state=ApplicationState.ACCEPTED,
        created_at=at,
        submitted_at=at,
        decided_at=at,
    )
    return Loan(
        number=history.accounts.number,
        dues=history.accounts.dues,
        application=application,
        borrower_id=owners[account],
        account=account,
        terms=terms,
        amount=one.amount,
        months=one.months,
        state=LoanState.REPAID if is_repaid else LoanState.ACTIVE,
        accepted_at=at,
        start=one.granted,
        repaid_at=history.repaid[-1].at if is_repaid else None,
    )


def _add_plans(loans: Sequence[Loan], days: Sequence[date]) -> None:
    plans = LoanPlan.objects.bulk_create(
        LoanPlan(
            loan=loan,
            number=1,
            since=day,
            principal=loan.amount,
            rate_ppm=0,
            holiday_months=0,
        )
        for loan, day in zip(loans, days, strict=True)
    )
    instalments = [
        Instalment(
            plan=plan,
            number=one.number,
            due_date=one.due_date,
            principal=one.principal,
            interest=one.interest,
            balance_after=one.balance_after,
        )
        for plan in plans
        for one in schedule(
            borrowing_by(plan.loan.terms, principal=plan.principal, months=plan.loan.months),
            start=plan.since,
        )
    ]
    Instalment.objects.bulk_create(instalments, batch_size=_AT_ONCE)


def _repayment(loan: Loan, one: Repaid, transfer: UUID) -> Repayment:
    return Repayment(
        loan=loan,
        key=one.reference,
        account=loan.account,
        penalty=0,
        fee=0,
        interest=0,
        principal=one.minor,
        channel=Channel.IMPORT,
        made_at=one.at,
        transfer_id=transfer,
    )


def _id(one: GrantedLoan) -> UUID:
    """Return the application's id: the same for the same loan, however often it is loaded."""
    return uuid5(_NAMESPACE, f"berka:loan:{one.loan_id}")


def _compare(one: GrantedLoan, loan: Loan, *, account: int) -> None:
    pairs = {
        "account_id": (account, loan.account),
        "date": (one.granted, loan.start),
        "amount": (one.amount, loan.amount),
        "duration": (one.months, loan.months),
    }
    for field, (expected, found) in pairs.items():
        if expected != found:
            message = f"loan {one.loan_id}, {field}: expected {expected}, the bank has {found}"
            raise LoanDiffers(message)
