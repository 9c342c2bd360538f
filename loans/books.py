"""What must be true of loans: the head office and the ledger say the same of each."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from django.db.models import Sum

from loans.accruing import KIND_OF
from loans.models import (
    Loan,
    LoanCharge,
    LoanState,
    Repayment,
    Restructuring,
    RestructuringState,
    WriteOff,
)
from transactions.branches.books import Finding
from transactions.lending import (
    CAPITALISED,
    LENT,
    REPAID,
    WRITTEN_OFF,
    Owed,
    booked_on,
    books_of_loans,
)

CHECK: Final = "loans_agree_with_the_ledger"
_OVER: Final = (LoanState.REPAID, LoanState.WRITTEN_OFF)


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
    grown, lost = _capitalised(), WriteOff.objects.in_bulk()
    for loan in still:
        lent, dues = booked.get(loan.number, {}), booked.get(loan.dues, {})
        more, gone = grown[loan.pk], lost[loan.pk].owed if loan.pk in lost else Owed()
        paid = repaid.get(loan.pk, {})
        yield from _unlike(loan, lent, _lent(loan, paid, grown=more, lost=gone))
        yield from _unlike(loan, dues, _dues(charged[loan.pk], paid, grown=more, lost=gone))
        left = sum(lent.values()) + sum(dues.values())
        if loan.state in _OVER and left:
            yield Finding(CHECK, loan.number, f"{loan.state}, and owes {left}")


def _unlike(loan: Loan, there: Mapping[str, int], here: Mapping[str, int]) -> Iterator[Finding]:
    for kind, minor in here.items():
        if there.get(kind, 0) != minor:
            words = f"{kind}: the ledger has {there.get(kind, 0)}, the head office {minor}"
            yield Finding(CHECK, loan.number, words)


def _lent(loan: Loan, paid: Mapping[str, int], *, grown: int, lost: Owed) -> dict[str, int]:
    """Return what must be booked on the account of what was lent, by kind of transfer."""
    return {
        str(LENT): loan.amount,
        str(REPAID): -paid.get("principal", 0),
        str(CAPITALISED): grown,
        str(WRITTEN_OFF): -lost.principal,
    }


def _dues(
    charged: Mapping[str, int], paid: Mapping[str, int], *, grown: int, lost: Owed
) -> dict[str, int]:
    """Return what must be booked on the account of the dues, by kind of transfer."""
    return {
        **{kind: charged.get(due, 0) - paid.get(due, 0) for due, kind in KIND_OF.items()},
        str(CAPITALISED): -grown,
        str(WRITTEN_OFF): -lost.dues,
    }


def _under_way() -> set[int]:
    """Return the loans on which something is written and not posted, as far as one knows."""
    return {
        *Loan.objects.filter(state=LoanState.OPENING).values_list("pk", flat=True),
        *LoanCharge.objects.filter(posted_at__isnull=True).values_list("loan", flat=True),
        *Repayment.objects.filter(transfer_id__isnull=True).values_list("loan", flat=True),
        *WriteOff.objects.filter(transfer_id__isnull=True).values_list("loan", flat=True),
        *Restructuring.objects.filter(
            state=RestructuringState.WAITING, capitalised__isnull=False
        ).values_list("loan", flat=True),
    }


def _capitalised() -> Mapping[int, int]:
    sums = Restructuring.objects.values_list("loan").annotate(minor=Sum("capitalised"))
    return defaultdict(int, {loan: minor or 0 for loan, minor in sums})


def _charged() -> Mapping[int, Mapping[str, int]]:
    found: dict[int, dict[str, int]] = defaultdict(dict)
    sums = LoanCharge.objects.values_list("loan", "kind").annotate(minor=Sum("minor"))
    for loan, kind, minor in sums:
        found[loan][kind] = minor
    return found


def _repaid() -> dict[int, dict[str, int]]:
    parts = ("penalty", "fee", "interest", "principal")
    sums = Repayment.objects.values_list("loan").annotate(*map(Sum, parts))
    return {loan: dict(zip(parts, paid, strict=True)) for loan, *paid in sums}
