"""The money of loans: their accounts, paying them out, charging, repaying.

A loan lives on the branch of the account it was paid out to. What it owes stands on two accounts of
its own with a floor of zero, so the ledger itself refuses to take more than is owed: one of what
was lent, one of the interest, fees and penalties charged. Each is booked when it is charged.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from accounts.numbers import account_number
from core.clock import bank_day
from core.money import Money
from transactions.branches.outcomes import silence_named
from transactions.branches.registry import branch_number_of, home_of, node_of, nodes
from transactions.chains import post_moved
from transactions.chart import BankAccounts, Place, open_chart
from transactions.ledger import lending
from transactions.ledger.accounts import (
    DEBIT_NORMAL,
    Opening,
    Purpose,
    next_serials,
    open_account,
)
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import (
    BANK_CLIENT,
    BatchReceipt,
    Channel,
    Kind,
    Order,
    Transfer,
    post_batch,
)
from transactions.ledger.reads import balances

_BRANCH_DIGITS: Final = 10**9
_CHUNK: Final = 2_000


class DueKind(StrEnum):
    """What a loan is charged, as the journal names it."""

    INTEREST = Kind.LOAN_INTEREST
    FEE = Kind.LOAN_FEE
    PENALTY = Kind.LOAN_PENALTY


LENT: Final = Kind.LOAN
REPAID: Final = Kind.LOAN_REPAYMENT
CAPITALISED: Final = Kind.LOAN_CAPITALISED
WRITTEN_OFF: Final = Kind.LOAN_WRITE_OFF
_INCOME: Final = {
    DueKind.INTEREST: Place.INTEREST_INCOME,
    DueKind.FEE: Place.FEE_INCOME,
    DueKind.PENALTY: Place.FEE_INCOME,
}


@dataclass(frozen=True, slots=True)
class LoanAccounts:
    """The two accounts of a loan: of what was lent, and of what was charged."""

    number: int
    dues: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """What a loan owes, or what of it is paid, in minor units, in the order in which it is paid."""

    penalty: int = 0
    fee: int = 0
    interest: int = 0
    principal: int = 0

    @property
    def dues(self) -> int:
        """All but the principal."""
        return self.penalty + self.fee + self.interest

    @property
    def total(self) -> int:
        """All together."""
        return self.dues + self.principal


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanCharging:
    """Something to charge a loan once, by its ``reference``."""

    accounts: LoanAccounts
    kind: DueKind
    minor: int
    reference: str
    memo: str


def new_loan_accounts(*, beside: int, currency: str) -> LoanAccounts:
    """Return numbers for a loan, at the branch where an account lives; nothing is opened yet."""
    node = node_of(beside)
    here = home_of(beside) == node
    branch = beside // _BRANCH_DIGITS if here else branch_number_of(node)
    number, dues = (account_number(branch=branch, serial=one) for one in next_serials(2))
    return LoanAccounts(number, dues, currency)


def open_loan(accounts: LoanAccounts) -> None:
    """Open the accounts of a loan, at zero; again is harmless.

    Raises:
        BranchDown, OutcomeUnknown
    """
    node = node_of(accounts.number)
    with silence_named(node):
        open_chart(branch=branch_number_of(node), currency=accounts.currency, using=node)
        for number, purpose in (
            (accounts.number, Purpose.LOAN),
            (accounts.dues, Purpose.LOAN_DUES),
        ):
            opening = Opening(
                number=number, currency=accounts.currency, purpose=purpose, side=DEBIT_NORMAL
            )
            open_account(opening, client=BANK_CLIENT, using=node)


def pay_out(  # noqa: PLR0913  # a loan has these sides
    accounts: LoanAccounts, *, to: int, amount: int, fee: int, memo: str, key: str, now: datetime
) -> BatchReceipt:
    """Lend an amount and take the fee of it, in one posting; once for each key.

    Raises:
        Refused: with the reason; nothing was moved.
        LinkedAcrossBranches, BranchDown, Busy, OutcomeUnknown
    """
    money = Money(amount, accounts.currency)
    legs = [Transfer(accounts.number, to, money, Kind.LOAN, memo, event_at=now, linked=fee > 0)]
    if fee:
        bank = _bank_of(accounts)
        cost = Money(fee, accounts.currency)
        legs.append(Transfer(to, bank.number(Place.FEE_INCOME), cost, Kind.FEE, memo, event_at=now))
    return _post(legs, _order(key, now))


def repay(  # noqa: PLR0913  # a repayment is what these are
    accounts: LoanAccounts,
    *,
    payer: int,
    paid: Owed,
    memo: str,
    client: int,
    channel: Channel,
    key: str,
    now: datetime,
) -> BatchReceipt:
    """Pay parts of what a loan owes from an account, all or nothing; once for each key.

    A ``client`` who is not the bank must hold rights on the paying account.

    Raises:
        Refused: with the reason; nothing was moved.
        BranchDown, Busy, OutcomeUnknown
    """
    parts = (
        (accounts.dues, paid.penalty, Kind.LOAN_PENALTY),
        (accounts.dues, paid.fee, Kind.LOAN_FEE),
        (accounts.dues, paid.interest, Kind.LOAN_INTEREST),
        (accounts.number, paid.principal, Kind.LOAN_REPAYMENT),
    )
    wanted = [part for part in parts if part[1]]
    legs = [
        Transfer(
            payer,
            to,
            Money(minor, accounts.currency),
            kind,
            memo,
            event_at=now,
            linked=place < len(wanted) - 1,
        )
        for place, (to, minor, kind) in enumerate(wanted)
    ]
    return _post(legs, _order(key, now, client=client, channel=channel))


def capitalise(accounts: LoanAccounts, *, minor: int, key: str, happened_at: datetime) -> None:
    """Make dues of a loan principal, as from an instant; once for each key.

    Raises:
        Refused: nothing was moved.
        BranchDown, Busy, OutcomeUnknown
    """
    leg = Transfer(
        accounts.number,
        accounts.dues,
        Money(minor, accounts.currency),
        Kind.LOAN_CAPITALISED,
        f"Loan {accounts.number}",
        event_at=happened_at,
    )
    _post([leg], _order(key, happened_at))


def write_off(accounts: LoanAccounts, *, owed: Owed, key: str, now: datetime) -> BatchReceipt:
    """Take what a loan owes out of the books, as the bank's loss; once for each key.

    Raises:
        Refused: nothing was moved.
        BranchDown, Busy, OutcomeUnknown
    """
    node = node_of(accounts.number)
    with silence_named(node):
        # Banks that were opened before there was such an account get it now.
        bank = open_chart(branch=branch_number_of(node), currency=accounts.currency, using=node)
    parts = [(accounts.dues, owed.dues), (accounts.number, owed.principal)]
    wanted = [part for part in parts if part[1]]
    legs = [
        Transfer(
            bank.number(Place.IMPAIRMENT),
            to,
            Money(minor, accounts.currency),
            Kind.LOAN_WRITE_OFF,
            f"Loan {accounts.number}",
            event_at=now,
            linked=place < len(wanted) - 1,
        )
        for place, (to, minor) in enumerate(wanted)
    ]
    return _post(legs, _order(key, now))


def recover(  # noqa: PLR0913  # a payment is what these are
    accounts: LoanAccounts,
    *,
    payer: int,
    minor: int,
    client: int,
    channel: Channel,
    key: str,
    now: datetime,
) -> BatchReceipt:
    """Take a payment for a loan that was written off, as the bank's income; once for each key.

    Raises:
        Refused: with the reason; nothing was moved.
        BranchDown, Busy, OutcomeUnknown
    """
    leg = Transfer(
        payer,
        _bank_of(accounts).number(Place.RECOVERY_INCOME),
        Money(minor, accounts.currency),
        Kind.LOAN_RECOVERY,
        f"Loan {accounts.number}",
        event_at=now,
    )
    return _post([leg], _order(key, now, client=client, channel=channel))


def charge(chargings: Sequence[LoanCharging], *, now: datetime) -> None:
    """Charge loans what is not charged yet, each once by its reference.

    Raises:
        Refused: one of them cannot be charged; the others are.
        BranchDown, OutcomeUnknown, Busy: a node does not answer; doing it again is harmless.
    """
    by_node: dict[str, list[LoanCharging]] = defaultdict(list)
    for one in chargings:
        by_node[node_of(one.accounts.number)].append(one)
    for node, mine in by_node.items():
        for begin in range(0, len(mine), _CHUNK):
            legs = [_charged(one) for one in mine[begin : begin + _CHUNK]]
            with silence_named(node):
                receipt = post_batch(legs, order=_order(None, now), using=node)
            for code in receipt.refusals.values():
                if code is not Code.DUPLICATE_REFERENCE:
                    raise Refused(code)


def owed_on(loans: Collection[LoanAccounts]) -> Mapping[int, Owed]:
    """Return what loans owe, by number.

    Raises:
        BranchDown, OutcomeUnknown: a branch does not answer.
    """
    found: dict[int, Owed] = {}
    for node, mine in _by_node(loans):
        with silence_named(node):
            kinds = lending.owed_by_kind([one.dues for one in mine], using=node)
            lent = lending.balances_of([one.number for one in mine], using=node)
        for one in mine:
            found[one.number] = _owed(kinds.get(one.dues, {}), lent.get(one.number, 0))
    return found


def booked_on(loans: Collection[LoanAccounts]) -> Mapping[int, Mapping[str, int]]:
    """Return what moved on the accounts of loans in all, by account and kind of transfer.

    Raises:
        BranchDown, OutcomeUnknown: a branch does not answer.
    """
    found: dict[int, Mapping[str, int]] = {}
    for node, mine in _by_node(loans):
        numbers = [number for one in mine for number in (one.number, one.dues)]
        with silence_named(node):
            found |= lending.owed_by_kind(numbers, using=node)
    return found


def principals_before(
    untils: Collection[datetime], *, loans: Collection[LoanAccounts]
) -> Mapping[tuple[int, datetime], int]:
    """Return what of loans was not repaid before some instants, by number and instant.

    Raises:
        BranchDown, OutcomeUnknown: a branch does not answer.
    """
    found: dict[tuple[int, datetime], int] = {}
    for node, mine in _by_node(loans):
        with silence_named(node):
            numbers = [one.number for one in mine]
            found |= lending.balances_before(untils, accounts=numbers, using=node)
    return found


def available_on(account: int) -> int:
    """Return what can go out of an account just now, in minor units.

    Raises:
        BranchDown, OutcomeUnknown: its branch does not answer.
    """
    node = node_of(account)
    with silence_named(node):
        found = balances([account], using=node)
    return max(0, found[0].available or 0) if found else 0


def books_of_loans() -> Mapping[int, int]:
    """Return all accounts of loans that are not at zero, on every node, with their balances.

    Raises:
        BranchDown, OutcomeUnknown: a branch does not answer.
    """
    found: dict[int, int] = {}
    for node in nodes():
        with silence_named(node):
            found |= lending.loans_in_the_books(using=node)
    return found


def _owed(dues: Mapping[str, int], principal: int) -> Owed:
    """Return what is owed; what was sent to the dues' account as such pays them in their order."""
    sent = -sum(minor for kind, minor in dues.items() if kind not in set(DueKind))
    left = []
    for kind in (DueKind.PENALTY, DueKind.FEE, DueKind.INTEREST):
        paid = min(sent, dues.get(kind, 0))
        left.append(dues.get(kind, 0) - paid)
        sent -= paid
    penalty, fee, interest = left
    return Owed(penalty=penalty, fee=fee, interest=interest, principal=principal)


def _post(legs: Sequence[Transfer], order: Order) -> BatchReceipt:
    receipt = post_moved(legs, order=order)
    reasons = set(receipt.refusals.values()) - {Code.LINKED_ITEM_REFUSED}
    if reasons:
        raise Refused(min(reasons))
    return receipt


def _charged(one: LoanCharging) -> Transfer:
    income = _bank_of(one.accounts).number(_INCOME[one.kind])
    money = Money(one.minor, one.accounts.currency)
    return Transfer(
        one.accounts.dues, income, money, Kind(one.kind), one.memo, reference=one.reference
    )


def _order(
    key: str | None, now: datetime, *, client: int = BANK_CLIENT, channel: Channel = Channel.BANK
) -> Order:
    holder = None if client == BANK_CLIENT else client
    return Order(client=client, channel=channel, day=bank_day(now), key=key, holder=holder)


def _bank_of(accounts: LoanAccounts) -> BankAccounts:
    return BankAccounts(branch_number_of(node_of(accounts.number)), accounts.currency)


def _by_node(loans: Collection[LoanAccounts]) -> Iterator[tuple[str, list[LoanAccounts]]]:
    found: dict[str, list[LoanAccounts]] = defaultdict(list)
    for one in loans:
        found[node_of(one.number)].append(one)
    yield from found.items()
