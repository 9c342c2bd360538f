"""Loans of a bank with several nodes: at the branch of their account, paid for from anywhere."""

from datetime import date

import pytest

from accounts.models import Branch
from core.clock import start_of
from loans.applying import save_draft, submit
from loans.books import check_loans
from loans.models import ApplicationState, Loan
from loans.opening import accept_offer
from tests.branches import Branches
from tests.factories import customer_account, inr, order, person
from tests.integration.closing.bank import put_in
from tests.integration.loans.bank import BEGUN, START, close_months, owed, pay, terms, wish
from transactions.branches.batches import post_batch_across
from transactions.branches.books import check_bank
from transactions.branches.moving import NotMovable, move_account
from transactions.branches.registry import node_of
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import Transfer
from transactions.ledger.reads import balances
from transactions.services import send


@pytest.fixture
def loan(branches: Branches) -> Loan:
    """Lend to an account at Mumbai."""
    assert branches
    assert Branch.objects.filter(code="MUM").exists()
    terms()
    asha = person()
    account = customer_account(asha, branch="MUM")
    draft = save_draft(asha.pk, wish(account), now=BEGUN)
    sent = submit(asha.pk, application=draft.pk, now=BEGUN)
    sent.state, sent.offered_until = ApplicationState.OFFERED, date(2026, 2, 10)
    sent.save()
    return accept_offer(asha.pk, application=sent.pk, now=BEGUN)


def test_live_where_their_account_does_and_are_paid_for_from_another_node(loan: Loan) -> None:
    assert (node_of(loan.number), node_of(loan.dues)) == ("MUM", "MUM")
    assert balances([loan.account], using="MUM")[0].balance == 1_18_800_00
    close_months(1)
    assert owed(loan).principal == 1_10_538_15
    elsewhere = customer_account(loan.borrower, branch="DEL")
    put_in(elsewhere, 20_000_00)
    paid = pay(loan, 15_000_00, on=date(2026, 3, 10), account=elsewhere)
    assert paid.is_done
    assert balances([elsewhere], using="DEL")[0].balance == 5_000_00
    assert owed(loan).principal == 1_10_538_15 - paid.principal
    plain = [Transfer(elsewhere, number, inr(1)) for number in (loan.number, loan.dues)]
    # The short way of posting, too, which is taken outside transactions on one node alone.
    for transfer in (*plain, Transfer(loan.account, loan.number, inr(1))):
        with pytest.raises(Refused) as refused:
            send(transfer, order=order())
        assert refused.value.reason is Code.LOAN_NEEDS_REPAYMENT
    batch = post_batch_across(plain, order=order(), source="DEL", destination="MUM")
    assert set(batch.refusals.values()) == {Code.LOAN_NEEDS_REPAYMENT}
    with pytest.raises(NotMovable):
        move_account(loan.number, code="DEL", client=0)
    assert check_loans() == []
    report = check_bank(now=start_of(START))
    assert [node.findings for node in report.nodes] == [[], [], []]
    assert report.between == []
