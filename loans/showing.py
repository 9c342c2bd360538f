"""Loans as their borrowers and staff see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from core.clock import bank_day
from core.money import Money
from loans.finding import UnknownLoan, loan_of
from loans.models import Instalment, Loan, LoanState, Repayment
from loans.plans import Plan, plans_of
from loans.rows import InstalmentState, Row, row_of
from loans.schedule import percent
from loans.standing import Standing, standings


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """A payment as people read it."""

    made_at: datetime
    principal: Money
    interest: Money
    charges: Money
    total: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanShown:
    """A loan with what is owed; ``standing`` is None where nothing is owed any more, or not yet."""

    loan: Loan
    standing: Standing | None
    rows: Sequence[Row]
    plan: Plan | None

    @property
    def rate(self) -> str:
        """What it costs a year by the plan that holds, in percent."""
        return percent(self.plan.rate_ppm if self.plan else self.loan.terms.rate_ppm)

    @property
    def owed(self) -> Money:
        """All that is owed."""
        return self.loan.terms.money(self.standing.owed.total if self.standing else 0)

    @property
    def principal(self) -> Money:
        """What of the amount is not repaid."""
        return self.loan.terms.money(self.standing.owed.principal if self.standing else 0)

    @property
    def due(self) -> Money:
        """What should be paid by today."""
        return self.loan.terms.money(self.standing.due.total if self.standing else 0)

    @property
    def repaid_percent(self) -> int:
        """How much of the amount is repaid, in whole percent."""
        repaid = max(0, self.loan.amount - self.principal.minor)
        return repaid * 100 // self.loan.amount

    @property
    def next(self) -> Row | None:
        """The next instalment to come."""
        return next((row for row in self.rows if row.state is InstalmentState.COMING), None)


def loans_of(user: int, *, now: datetime, using: str = "default") -> list[LoanShown]:
    """Return a person's loans, the newest first.

    Raises:
        BranchDown, OutcomeUnknown: a branch does not answer.
    """
    mine = Loan.objects.using(using).filter(borrower=user).select_related("terms")
    return shown(list(mine[:50]), now=now)


def loan_shown(user: int, *, number: int, now: datetime) -> LoanShown:
    """Return one of a person's loans.

    Raises:
        UnknownLoan
        BranchDown, OutcomeUnknown: its branch does not answer.
    """
    return shown([loan_of(user, number=number)], now=now)[0]


def loan_known(number: int, *, now: datetime) -> LoanShown:
    """Return anybody's loan.

    Raises:
        UnknownLoan
        BranchDown, OutcomeUnknown: its branch does not answer.
    """
    found = Loan.objects.filter(pk=number).select_related("terms", "borrower").first()
    if found is None:
        raise UnknownLoan
    return shown([found], now=now)[0]


def repayments_of(loan: Loan, *, limit: int = 50) -> list[Paid]:
    """Return what was paid for a loan, the newest first."""
    done = Repayment.objects.filter(loan=loan, transfer_id__isnull=False)[:limit]
    money = loan.terms.money
    return [
        Paid(
            made_at=one.made_at,
            principal=money(one.principal),
            interest=money(one.interest),
            charges=money(one.penalty + one.fee),
            total=money(one.total),
        )
        for one in done
    ]


def shown(loans: Sequence[Loan], *, now: datetime) -> list[LoanShown]:
    """Return loans with what is owed on them, in their order.

    Raises:
        BranchDown, OutcomeUnknown: a branch does not answer.
    """
    today = bank_day(now)
    standing = standings([one for one in loans if one.state == LoanState.ACTIVE], day=today)
    plans = plans_of(loans)
    return [
        LoanShown(
            loan=loan,
            standing=standing.get(loan.pk),
            rows=[
                row_of(loan.terms, one, _state(loan, standing.get(loan.pk), one, today))
                for one in (plans[loan.pk].instalments if loan.pk in plans else ())
            ],
            plan=plans.get(loan.pk),
        )
        for loan in loans
    ]


def _state(
    loan: Loan, standing: Standing | None, instalment: Instalment, today: date
) -> InstalmentState:
    if standing is None:
        return InstalmentState.PAID if loan.state == LoanState.REPAID else InstalmentState.COMING
    if instalment.due_date > today:
        return InstalmentState.COMING
    if instalment.due_date == today:
        return InstalmentState.DUE if standing.due.total else InstalmentState.PAID
    is_late = standing.late_since is not None and instalment.due_date >= standing.late_since
    return InstalmentState.LATE if is_late else InstalmentState.PAID
