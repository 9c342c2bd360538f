"""What must be true of loans: the head office and the ledger say the same of each."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from django.db.models import Sum

from loans.accruing import KIND_OF
from loans.models import Loan, LoanCharge, LoanState, Repayment
from transactions.branches.books import Finding
from transactions.lending import LENT, REPAID, booked_on, books_of_loans

CHECK: Final = "loans_agree_with_the_ledger"


def check_loans() -> list[Finding]:
    """Compare each loan with its accounts: what was lent, charged and repaid, and what is left.

    Loans on which something is being done just now are left out.

    Raises:
        BranchDown, OutcomeUnknown: a branch does not answer.
    """
    books = books_of_loans()
    loans = {loan.pk: loan for loan in Loan.objects.select_related("terms")}
    known = {number for one in loans.values() for number in (one.number, one.dues)}
    found = [
        Finding(CHECK, number, f"holds {balance}, and is no loan's")
        for number, balance in sorted(books.items())
        if number not in known
    ]
    return [*found, *_differing(list(loans.values()))]


def _differing(loans: Sequence[Loan]) -> Iterator[Finding]:
    """Name what of loans the ledger has booked otherwise than the head office has written."""
    still = [loan for loan in loans if loan.pk not in _under_way()]
    booked = booked_on([loan.accounts for loan in still])
    charged, repaid = _charged(), _repaid()
    for loan in still:
        there: dict[str, int] = {**booked.get(loan.number, {}), **booked.get(loan.dues, {})}
        here = _written(loan, charged.get(loan.pk, {}), repaid.get(loan.pk, {}))
        for kind, minor in here.items():
            if there.get(kind, 0) != minor:
                words = f"{kind}: the ledger has {there.get(kind, 0)}, the head office {minor}"
                yield Finding(CHECK, loan.number, words)
        if loan.state == LoanState.REPAID and _left(there):
            yield Finding(CHECK, loan.number, f"repaid, and owes {_left(there)}")


def _written(loan: Loan, charged: Mapping[str, int], repaid: Mapping[str, int]) -> dict[str, int]:
    """Return what must be booked for a loan by kind of transfer: charged is owed, repaid is not."""
    return {
        str(LENT): loan.amount,
        str(REPAID): -repaid.get("principal", 0),
        **{kind: charged.get(due, 0) - repaid.get(due, 0) for due, kind in KIND_OF.items()},
    }


def _under_way() -> set[int]:
    """Return the loans on which something is written and not posted, as far as one knows."""
    return {
        *Loan.objects.filter(state=LoanState.OPENING).values_list("pk", flat=True),
        *LoanCharge.objects.filter(posted_at__isnull=True).values_list("loan", flat=True),
        *Repayment.objects.filter(transfer_id__isnull=True).values_list("loan", flat=True),
    }


def _left(there: Mapping[str, int]) -> int:
    """Return what is left of all that was booked."""
    return sum(there.values())


def _charged() -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = defaultdict(dict)
    sums = LoanCharge.objects.values_list("loan", "kind").annotate(minor=Sum("minor"))
    for loan, kind, minor in sums:
        found[loan][kind] = minor
    return found


def _repaid() -> dict[int, dict[str, int]]:
    parts = ("penalty", "fee", "interest", "principal")
    sums = Repayment.objects.values_list("loan").annotate(*map(Sum, parts))
    return {loan: dict(zip(parts, paid, strict=True)) for loan, *paid in sums}
