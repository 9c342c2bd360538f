"""Interest and fees of accounts that move between branches: nothing lost, nothing doubled."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from tests.branches import DEL, MUM, Branches
from tests.factories import person
from tests.integration.branches.moves import NODES, move
from tests.integration.closing.bank import (
    AFTER,
    INDIA,
    LAST,
    accruals,
    interest_of,
    noon,
    open_months,
    put_in,
    record_at,
    savings,
    terms,
)
from transactions.closing.days import close_days
from transactions.interest import paying
from transactions.interest.accruing import accrue_interest
from transactions.interest.closing import Closing, PayoutElsewhere, close_with_interest
from transactions.interest.earned import terms_of_account
from transactions.interest.paying import pay_interest
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import Kind
from transactions.ledger.reads import EntryFilter, balances, entries

MOVED_ON = LAST - timedelta(days=1)


def closing(number: int, *, payout: int) -> Closing:
    return Closing(account=number, payout=payout, client=0, key="close", reason="moves abroad")


def record_everywhere(bank: Branches, at: datetime) -> None:
    for node in NODES:
        record_at(bank.of(node).owner, at)


@pytest.fixture
def bank(branches: Branches) -> Branches:
    """Give a bank of three nodes that records what happened at the end of February 2024."""
    for node in NODES:
        open_months(node)
    record_everywhere(branches, noon(LAST - timedelta(days=3)))
    terms(fee=100)
    return branches


class TestAnAccountThatMoves:
    def test_earns_each_day_once_and_is_paid_once_where_it_lives(self, bank: Branches) -> None:
        owner = person()
        mine, other = savings(owner, branch=MUM), savings(owner, branch=DEL)
        for account in (mine, other):
            put_in(account, 1_000_000)
        close_days(until=LAST - timedelta(days=2), now=AFTER)
        record_everywhere(bank, noon(MOVED_ON))
        move(mine, DEL)
        record_everywhere(bank, AFTER)
        close_days(until=MOVED_ON, now=AFTER)
        seen = [terms_of_account(owner.pk, number=one, now=AFTER) for one in (mine, other)]
        assert seen[0].earned == seen[1].earned
        assert seen[0].earned
        assert seen[0].earned.amount.minor == 192
        close_days(until=LAST, now=AFTER)
        seen = [terms_of_account(owner.pk, number=one, now=AFTER) for one in (mine, other)]
        assert [one.earned and one.earned.amount.minor for one in seen] == [0, 0]
        paid = interest_of(mine, node=DEL)
        assert paid == interest_of(other, node=DEL) == {"2024-02": 288}
        assert interest_of(mine, node=MUM) == {}
        assert [len(accruals(mine, node=node)) for node in (MUM, DEL)] == [1, 3]
        fees = entries(mine, wanted=EntryFilter(kind=Kind.FEE), using=DEL)
        assert [fee.change for fee in fees] == [-100]
        assert_sound()

    def test_over_midnight_earns_that_day(self, bank: Branches) -> None:
        mine = savings(person(), branch=MUM)
        put_in(mine, 1_000_000)
        midnight = datetime(2024, 2, 29, tzinfo=INDIA)
        record_at(bank.of(MUM).owner, midnight - timedelta(seconds=50))
        record_at(bank.of(DEL).owner, midnight + timedelta(seconds=1))
        move(mine, DEL)
        record_everywhere(bank, AFTER)
        for day in (MOVED_ON, LAST):
            accrue_interest(day)
        earned = [(one.day, node) for node in (MUM, DEL) for one in accruals(mine, node=node)]
        assert earned == [(MOVED_ON, DEL), (LAST, DEL)]

    def test_is_closed_with_what_it_earned_on_both_nodes(self, bank: Branches) -> None:
        owner = person()
        mine, near, far = (savings(owner, branch=one) for one in (MUM, DEL, MUM))
        put_in(mine, 1_000_000)
        close_days(until=LAST - timedelta(days=2), now=AFTER)
        record_everywhere(bank, noon(MOVED_ON))
        move(mine, DEL)
        record_everywhere(bank, noon(LAST))
        close_days(until=MOVED_ON, now=AFTER)
        put_in(mine, -1_000_000)
        with pytest.raises(PayoutElsewhere):
            close_with_interest(closing(mine, payout=far), now=noon(LAST))
        close_with_interest(closing(mine, payout=near), now=noon(LAST))
        assert interest_of(mine, node=DEL) == {"2024-02": 192}
        (paid,) = balances([near], using=DEL)
        assert paid.balance == 192
        assert_sound()

    @pytest.mark.parametrize("is_paid", [False, True])
    def test_while_interest_is_posted_is_paid_once(
        self, bank: Branches, monkeypatch: pytest.MonkeyPatch, *, is_paid: bool
    ) -> None:
        mine = savings(person(), branch=MUM)
        put_in(mine, 1_000_000)
        record_everywhere(bank, AFTER)
        accrue_interest(LAST)
        went: list[str] = []
        pay_on: Callable[..., object] = paying._pay_on  # noqa: SLF001  # between its parts it moves

        def moving(node: str, *arguments: object, **named: object) -> object:
            if node == MUM and not is_paid and not went:
                went.append(node)
                move(mine, DEL)
            paid = pay_on(node, *arguments, **named)
            if node == MUM and is_paid and not went:
                went.append(node)
                move(mine, DEL)
            return paid

        monkeypatch.setattr(paying, "_pay_on", moving)
        outcome = pay_interest(LAST, now=AFTER)
        assert went == [MUM]
        assert (outcome.items, outcome.amounts) == (1, {"INR": 96})
        posted = [interest_of(mine, node=node) for node in (MUM, DEL)]
        assert posted == ([{"2024-02": 96}, {}] if is_paid else [{}, {"2024-02": 96}])
        assert_sound()


def assert_sound() -> None:
    assert [finding for node in NODES for finding in check_books(using=node).findings] == []
