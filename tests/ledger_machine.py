"""Hypothesis drives the real ledger and the reference ledger side by side; they must agree.

After every step: the same answer or refusal, and on every account the same balance, money held and
money available. After every run: the books prove.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import psycopg
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from accounts.numbers import account_number
from core.money import Money
from tests.factories import BRANCH, TODAY, order
from tests.reference_ledger import Account, Posting, ReferenceLedger, RefusedError, Spending
from transactions.ledger import accounts, posting
from transactions.ledger.accounts import Opening, Purpose
from transactions.ledger.codes import Code, Refused
from transactions.ledger.connection import fetch_one
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import Kind, Order, Transfer
from transactions.ledger.reads import balances

Result = TypeVar("Result")
SERIALS = count(2_000_000)
CLIENTS = (7, 8)
HOLDER = 70
UNKNOWN = 123_456_789_012
ROADS = ("short", "inside a transaction", "batch of one")
OPENED = (
    Account(),
    Account(overdraft_limit=400),
    Account(daily_limit=500),
    Account(overdraft_limit=None),
    Account(currency="JPY"),
    Account(side=-1),
    Account(running=False, overdraft_limit=None),
    Account(running=False, side=-1, overdraft_limit=None),
)

clients = st.sampled_from(CLIENTS)
days = st.integers(0, 2)
minor_units = st.one_of(st.integers(1, 400), st.sampled_from((0, -1, 10**15 + 1)))
currencies = st.sampled_from(("INR",) * 9 + ("JPY",))
kinds = st.sampled_from(("transfer", "transfer", "transfer", "fee"))
references = st.sampled_from((None, None, None, "a", "b"))
limits = st.one_of(st.none(), st.integers(0, 2_000))
# Mostly the first four, which can do the most with each other.
places = st.sampled_from((0, 1, 2, 3) * 6 + (4, 5, 6, 7, 7, 7, 8))
postings = st.builds(
    Posting,
    debit=places,
    credit=places,
    amount=minor_units,
    currency=currencies,
    kind=kinds,
    memo=st.sampled_from((None, "rent")),
    reference=references,
    linked=st.sampled_from((False, False, True)),
)


def asked(client: int, day: int, *, key: str | None = None, holder: int | None = None) -> Order:
    """Return an order under a new key or the given one."""
    return order(client=client, key=key, day=TODAY + timedelta(days=day), holder=holder)


def result_of(work: Callable[[], Result]) -> Result | Code:
    """Return what ``work`` returns, or why it was refused."""
    try:
        return work()
    except Refused as refusal:
        return refusal.reason
    except RefusedError as refusal:
        return refusal.code


class LedgerMachine(RuleBasedStateMachine):
    """The rules: everything that the ledger's functions do, in any order."""

    superuser_url: ClassVar[str]
    steps: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        """Open the same accounts in both ledgers, with some money."""
        super().__init__()
        self.model = ReferenceLedger()
        self.numbers: list[int] = []
        self.transfers: list[UUID] = []
        self.holds: list[UUID] = []
        self.sent: list[tuple[Transfer, Order, UUID]] = []
        for account in OPENED:
            self._open(account)
        self.numbers.append(UNKNOWN)
        cash = self.numbers[7]
        for place, amount in ((0, 1000), (1, 300), (2, 2000), (3, 0)):
            if amount:
                self._both_post(Posting(cash, self.numbers[place], amount, kind="deposit"), 0)

    def _open(self, account: Account) -> None:
        number = account_number(branch=BRANCH, serial=next(SERIALS))
        self.numbers.append(number)
        self.model.accounts[number] = replace(
            account, holders={HOLDER}, spending=Spending(), payee_limits={}, payee_spending={}
        )
        opening = Opening(
            number=number,
            currency=account.currency,
            purpose=Purpose.CUSTOMER,
            side=1 if account.side == 1 else -1,
            running=account.running,
            overdraft_limit=account.overdraft_limit,
            daily_limit=account.daily_limit,
        )
        accounts.open_account(opening, client=0)
        accounts.set_holder(number, user=HOLDER, rights="owner", client=0)

    def _at(self, asked_posting: Posting) -> Posting:
        """Return a posting between account numbers instead of places, in this run's words."""
        reference = asked_posting.reference and f"{asked_posting.reference} {self.numbers[0]}"
        return replace(
            asked_posting,
            debit=self.numbers[asked_posting.debit],
            credit=self.numbers[asked_posting.credit],
            reference=reference,
        )

    @rule(
        wish=postings,
        client=clients,
        day=days,
        road=st.sampled_from(ROADS),
        holder=st.sampled_from((None, None, None, HOLDER, HOLDER + 1)),
    )
    def post(self, wish: Posting, client: int, day: int, road: str, holder: int | None) -> None:
        wish = replace(self._at(wish), linked=False)
        self._both_post(wish, day, client=client, road=road, holder=holder)

    def _both_post(
        self,
        wish: Posting,
        day: int,
        *,
        client: int = 0,
        road: str = "short",
        holder: int | None = None,
    ) -> None:
        by = asked(client, day, holder=holder)
        expected = result_of(lambda: self.model.post(wish, client=client, day=day, holder=holder))
        real = result_of(lambda: post_by(road, as_transfer(wish), by))
        if isinstance(real, Code):
            assert real is expected, (real, expected)
            return
        assert expected == len(self.transfers), (real, expected)
        self.transfers.append(real)
        if road != "batch of one":
            self.sent.append((as_transfer(wish), by, real))

    @rule(
        debit=st.integers(0, 3),
        credit=st.integers(0, 3),
        amount=st.integers(1, 300),
        day=days,
        road=st.sampled_from(ROADS),
    )
    def pay(self, debit: int, credit: int, amount: int, day: int, road: str) -> None:
        """Post what often works, so that histories grow."""
        self._both_post(self._at(Posting(debit, credit, amount)), day, client=7, road=road)

    @rule(place=st.integers(0, 3), amount=st.integers(200, 900))
    def deposit(self, place: int, amount: int) -> None:
        self._both_post(self._at(Posting(7, place, amount, kind="deposit")), 0)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), other=st.booleans(), road=st.sampled_from(ROADS[:2]))
    def send_a_key_again(self, data: Any, *, other: bool, road: str) -> None:
        transfer, by, transfer_id = data.draw(st.sampled_from(self.sent))
        if other:
            amount = Money(transfer.amount.minor + 1, transfer.amount.currency)
            other_body = Transfer(transfer.debit, transfer.credit, amount, transfer.kind)
            assert result_of(lambda: post_by(road, other_body, by)) is Code.KEY_REUSED
        else:
            assert result_of(lambda: post_by(road, transfer, by)) == transfer_id

    @rule(wishes=st.lists(postings, min_size=1, max_size=6), client=clients, day=days)
    def post_batch(self, wishes: list[Posting], client: int, day: int) -> None:
        wishes = [self._at(wish) for wish in wishes]
        by = asked(client, day)
        expected = self.model.post_batch(wishes, client=client, day=day)
        transfers = [as_transfer(wish) for wish in wishes]
        receipt = posting.post_batch(transfers, order=by)
        again = posting.post_batch(transfers, order=by)
        assert again.replayed
        assert (again.first_id, again.refusals) == (receipt.first_id, receipt.refusals)
        for place, answer in enumerate(expected):
            assert receipt.refusals.get(place, answer) == answer, (place, receipt, expected)
            if not isinstance(answer, Code):
                assert place not in receipt.refusals, (place, receipt, expected)
                assert answer == len(self.transfers)
                self.transfers.append(receipt.transfer_id(place))

    @rule(
        account=st.integers(0, 3), payee=places, amount=minor_units, day=days, currency=currencies,
        past=st.sampled_from((False,) * 9 + (True,)),
    )  # fmt: skip
    def hold(
        self, *, account: int, payee: int, amount: int, day: int, currency: str, past: bool
    ) -> None:
        number, other = self.numbers[account], self.numbers[payee]
        expected = result_of(
            lambda: self.model.hold(
                account=number, payee=other, amount=amount, day=day, currency=currency, past=past
            )
        )
        until = datetime.now(UTC) + timedelta(hours=-1 if past else 1)
        by = asked(7, day)
        real = self._twice(
            lambda: (
                posting.hold(
                    account=number,
                    payee=other,
                    amount=Money(amount, currency),
                    expires_at=until,
                    order=by,
                ).hold_id
            )
        )
        if isinstance(real, Code):
            assert real is expected, (real, expected)
        else:
            assert expected == len(self.holds), (real, expected)
            self.holds.append(real)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), amount=minor_units, day=days)
    def capture(self, data: Any, amount: int, day: int) -> None:
        number = data.draw(st.integers(0, len(self.holds) - 1))
        expected = result_of(lambda: self.model.capture(number, amount=amount, day=day))
        by = asked(7, day)
        real = self._twice(
            lambda: posting.capture(self.holds[number], minor=amount, order=by).transfer_id
        )
        self._note_transfers(real, expected)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), day=days)
    def release(self, data: Any, day: int) -> None:
        number = data.draw(st.integers(0, len(self.holds) - 1))
        expected = result_of(lambda: self.model.release(number, day=day))
        by = asked(7, day)

        def release() -> None:
            posting.release(self.holds[number], order=by)

        real = self._twice(release)
        assert real is expected, (real, expected)

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def time_runs_out(self, data: Any) -> None:
        number = data.draw(st.integers(0, len(self.holds) - 1))
        self.model.run_out(number)
        with psycopg.connect(self.superuser_url) as superuser:
            superuser.execute(
                "UPDATE ledger.hold SET expires_at = clock_timestamp() WHERE id = %s",
                [self.holds[number]],
            )

    @rule(name=st.sampled_from(("expire_holds", "fold")))
    def tidy(self, name: str) -> None:
        fetch_one(name, {}, "default")

    @precondition(lambda self: self.transfers)
    @rule(data=st.data(), day=days)
    def reverse(self, data: Any, day: int) -> None:
        number = data.draw(st.integers(0, len(self.transfers) - 1))
        expected = result_of(lambda: self.model.reverse(number))
        by = asked(7, day)
        real = self._twice(lambda: posting.reverse(self.transfers[number], order=by))
        self._note_transfers(real, expected)

    def _twice(self, work: Callable[[], Result]) -> Result | Code:
        """Do ``work`` twice: the same key gets the same answer."""
        first, second = result_of(work), result_of(work)
        assert first == second
        return first

    def _note_transfers(self, real: UUID | Code, expected: int | Code) -> None:
        """Remember what one call has posted: a transfer, or the legs of a group tick by tick."""
        if isinstance(real, Code) or isinstance(expected, Code):
            assert real is expected, (real, expected)
            return
        assert expected == len(self.transfers)
        legs = len(self.model.journal) - len(self.transfers)
        receipt = posting.BatchReceipt(real, legs, {}, replayed=False)
        self.transfers += [receipt.transfer_id(leg) for leg in range(legs)]

    @precondition(lambda self: len(self.transfers) > 6)
    @rule(place=places, status=st.sampled_from(("frozen", "open", "open", "open", "closed")))
    def set_status(self, place: int, status: str) -> None:
        number = self.numbers[place]
        expected = result_of(lambda: self.model.set_status(number, status))
        new = accounts.Status(status)
        real = result_of(lambda: accounts.set_status(number, status=new, client=0, reason="asked"))
        assert real is (True if expected is None else expected), (real, expected)

    @precondition(lambda self: len(self.transfers) > 6)
    @rule(place=places, overdraft=limits, daily=limits)
    def set_limits(self, place: int, overdraft: int | None, daily: int | None) -> None:
        number = self.numbers[place]
        expected = result_of(lambda: self.model.set_limits(number, overdraft, daily))
        real = result_of(
            lambda: accounts.set_limits(
                number, overdraft_limit=overdraft, daily_limit=daily, client=0, reason="asked"
            )
        )
        assert real is expected, (real, expected)

    @precondition(lambda self: len(self.transfers) > 6)
    @rule(place=places, payee=places, limit=limits)
    def set_payee_limit(self, place: int, payee: int, limit: int | None) -> None:
        number, other = self.numbers[place], self.numbers[payee]
        expected = result_of(lambda: self.model.set_payee_limit(number, other, limit))
        real = result_of(
            lambda: accounts.set_payee_limit(
                number, payee=other, daily_limit=limit, client=0, reason="asked"
            )
        )
        assert real is expected, (real, expected)

    @invariant()
    def both_ledgers_show_the_same(self) -> None:
        for shown in balances(self.numbers):
            account = self.model.accounts[shown.number]
            expected = (
                account.balance,
                self.model.held(shown.number),
                self.model.available(shown.number),
                account.status,
            )
            real = (shown.balance, shown.held, shown.available, shown.status)
            assert real == expected, (shown, expected)

    def teardown(self) -> None:
        """Prove the books."""
        report = check_books()
        self.steps["histories"] += 1
        self.steps["transfers"] += len(self.transfers)
        self.steps["holds"] += len(self.holds)
        self.steps["reversals"] += sum(leg.reversed for leg in self.model.journal)
        assert report.findings == []
        assert report.transfers >= len(self.model.journal) == len(self.transfers)


def as_transfer(wish: Posting) -> Transfer:
    """Return the real ledger's words for a posting."""
    return Transfer(
        wish.debit,
        wish.credit,
        Money(wish.amount, wish.currency),
        Kind(wish.kind),
        memo=wish.memo,
        reference=wish.reference,
        linked=wish.linked,
    )


def post_by(road: str, transfer: Transfer, by: Order) -> UUID:
    """Post a transfer by one of the ways that must all come to the same."""
    if road == "short":
        return posting.post(transfer, order=by).transfer_id
    if road == "inside a transaction":
        with transaction.atomic():
            return posting.post(transfer, order=by).transfer_id
    receipt = posting.post_batch([transfer], order=by)
    for code in receipt.refusals.values():
        raise Refused(code)
    return receipt.transfer_id(0)
