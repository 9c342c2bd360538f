"""What a loan would cost: a quote binds nobody, and writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from django.utils.translation import gettext as _

from core.clock import bank_day
from core.errors import DomainError
from core.money import Money
from loans.models import LoanTerms
from loans.products import terms_of
from loans.rows import InstalmentState, Row, row_of
from loans.schedule import MOST_PPM, Borrowing, Instalment, Method, instalment_amount, schedule


class OutsideProduct(DomainError):
    """An amount or a term is not one the product has; ``code`` says which."""

    code = "outside_loan_product"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a loan of an amount over some months would cost if it were paid out today."""

    terms: LoanTerms
    amount: Money
    months: int
    opening_fee: Money
    instalment: Money
    instalments: Sequence[Instalment]

    @property
    def monthly(self) -> Money:
        """What is paid each month, the fee included."""
        return self.terms.money(self.instalment.minor + self.terms.instalment_fee)

    @property
    def rows(self) -> list[Row]:
        """The instalments as people read them."""
        return [row_of(self.terms, one, InstalmentState.COMING) for one in self.instalments]

    @property
    def last_day(self) -> date:
        """The day on which it would be repaid."""
        return self.instalments[-1].due_date

    @property
    def total_interest(self) -> Money:
        """All interest."""
        return self.terms.money(sum(one.interest for one in self.instalments))

    @property
    def total_fees(self) -> Money:
        """The opening fee, and those of the instalments."""
        later = self.terms.instalment_fee * self.months
        return self.terms.money(self.opening_fee.minor + later)

    @property
    def total_cost(self) -> Money:
        """What is paid in all beside the amount itself."""
        return self.terms.money(self.total_interest.minor + self.total_fees.minor)


def quote(*, product: str, amount: Money, months: int, now: datetime) -> Quote:
    """Return what a loan would cost by the terms of today.

    Raises:
        NoSuchLoanProduct
        OutsideProduct, InvalidBorrowing
    """
    return quote_by(terms_of(product, amount.currency, now=now), amount, months=months, now=now)


def quote_by(terms: LoanTerms, amount: Money, *, months: int, now: datetime) -> Quote:
    """Return what a loan would cost by some terms.

    Raises:
        OutsideProduct, InvalidBorrowing
    """
    check_within(terms, amount, months=months)
    borrowing = borrowing_by(terms, principal=amount.minor, months=months)
    return Quote(
        terms=terms,
        amount=amount,
        months=months,
        opening_fee=terms.money(opening_fee(terms, amount.minor)),
        instalment=terms.money(instalment_amount(borrowing)),
        instalments=schedule(borrowing, start=bank_day(now)),
    )


def check_within(terms: LoanTerms, amount: Money, *, months: int) -> None:
    """Refuse what the product is not.

    Raises:
        OutsideProduct
    """
    least, most = terms.least, terms.most
    if not least.minor <= amount.minor <= most.minor:
        message = _("This loan is of %(least)s to %(most)s.") % {"least": least, "most": most}
        raise OutsideProduct(message, code="amount_outside_product", field="amount")
    if not terms.least_months <= months <= terms.most_months:
        message = _("This loan runs for %(least)s to %(most)s months.") % {
            "least": terms.least_months,
            "most": terms.most_months,
        }
        raise OutsideProduct(message, code="term_outside_product", field="months")


def borrowing_by(terms: LoanTerms, *, principal: int, months: int) -> Borrowing:
    """Return what is borrowed by some terms."""
    return Borrowing(
        principal=principal,
        months=months,
        rate_ppm=terms.rate_ppm,
        method=Method(terms.method),
        holiday_months=terms.holiday_months,
    )


def opening_fee(terms: LoanTerms, amount: int) -> int:
    """Return what opening a loan costs, in minor units, rounded once, half to even."""
    return round(Fraction(amount * terms.opening_fee_ppm, MOST_PPM))
