"""A ledger in plain Python, simple enough to be seen to be right. The real one must agree with it.

Nothing here is fast, stored or shared. A refusal is an exception and changes nothing. Amounts are
in minor units; a balance is in its account's natural direction (``side``), as in the real one.
"""

from copy import deepcopy
from dataclasses import dataclass, field

from transactions.ledger.codes import Code

MOST_AMOUNT = 10**15
SPENDING = {"transfer", "withdrawal", "payment", "card"}


class RefusedError(Exception):
    """The reference ledger refuses."""

    def __init__(self, code: Code) -> None:
        """Refuse for this reason."""
        super().__init__(code.name)
        self.code = code


@dataclass
class Spending:
    """What was spent on the latest day seen; a late order of an earlier day counts on that day."""

    day: int = -1
    total: int = 0

    def count(self, amount: int, day: int) -> None:
        """Count ``amount`` on ``day``."""
        self.total = self.on(day) + amount
        self.day = max(self.day, day)

    def give_back(self, amount: int, day: int) -> None:
        """Count ``amount`` no longer, if ``day`` is still the day of the total."""
        if day == self.day:
            self.total = max(self.total - amount, 0)

    def on(self, day: int) -> int:
        """Return what counts against an order of ``day``."""
        return 0 if self.day < day else self.total


@dataclass
class Account:
    """One account."""

    currency: str = "INR"
    side: int = 1
    running: bool = True
    balance: int = 0
    overdraft_limit: int | None = 0
    daily_limit: int | None = None
    status: str = "open"
    holders: set[int] = field(default_factory=set)
    spending: Spending = field(default_factory=Spending)
    payee_limits: dict[int, int] = field(default_factory=dict)
    payee_spending: dict[int, Spending] = field(default_factory=dict)


@dataclass
class Hold:
    """Money set aside; ``past`` once its time has run out."""

    account: int
    payee: int
    amount: int
    day: int
    state: str = "open"
    past: bool = False


@dataclass(frozen=True)
class Posting:
    """A transfer asked for, and its place in the journal once it is posted."""

    debit: int
    credit: int
    amount: int
    currency: str = "INR"
    kind: str = "transfer"
    memo: str | None = None
    reference: str | None = None
    linked: bool = False


@dataclass
class Leg:
    """A posted transfer. ``group`` is the number of its group's first."""

    posting: Posting
    group: int | None = None
    reversed: bool = False


class ReferenceLedger:
    """Accounts, a journal and holds; numbers of transfers and holds are places in the lists."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.accounts: dict[int, Account] = {}
        self.journal: list[Leg] = []
        self.holds: list[Hold] = []
        self.references: set[tuple[int, str]] = set()

    def held(self, number: int) -> int:
        """Return what is set aside on an account."""
        return sum(
            hold.amount
            for hold in self.holds
            if hold.account == number and hold.state == "open" and not hold.past
        )

    def available(self, number: int) -> int | None:
        """Return what can go out; None where there is no floor."""
        account = self.accounts[number]
        if account.overdraft_limit is None:
            return None
        return account.balance - self.held(number) + account.overdraft_limit

    def post(self, posting: Posting, *, client: int, day: int, holder: int | None = None) -> int:
        """Post one transfer and return its number."""
        if posting.debit == posting.credit:
            raise RefusedError(Code.SAME_ACCOUNT)
        self._check_holder(posting.debit, holder)
        self._check_pair(posting.debit, posting.credit, posting.amount, posting.currency)
        self._check_funds(posting)
        payer = self.accounts[posting.debit]
        if posting.reference and (client, posting.reference) in self.references:
            raise RefusedError(Code.DUPLICATE_REFERENCE)
        if posting.kind in SPENDING:
            self._spend(payer, posting.credit, posting.amount, day)
        if posting.reference:
            self.references.add((client, posting.reference))
        return self._move(posting)

    def post_batch(
        self, postings: list[Posting], *, client: int, day: int, holder: int | None = None
    ) -> list[Code | int]:
        """Post each chain of linked items whole or not at all; return a number or a code each."""
        results: list[Code | int] = []
        chain: list[Posting] = []
        for posting in postings:
            chain.append(posting)
            if not posting.linked:
                results += self._post_chain(chain, client, day, holder)
                chain = []
        if chain:
            results += self._post_chain(chain, client, day, holder)
        return results

    def _post_chain(
        self, chain: list[Posting], client: int, day: int, holder: int | None
    ) -> list[Code | int]:
        before = deepcopy(self.__dict__)
        numbers: list[Code | int] = []
        try:
            for place, posting in enumerate(chain, start=1):
                self._check_chain(posting, last=place == len(chain))
                numbers.append(self.post(posting, client=client, day=day, holder=holder))
        except RefusedError as refusal:
            self.__dict__.update(before)
            at_fault = len(numbers)
            codes: list[Code | int] = [Code.LINKED_ITEM_REFUSED] * len(chain)
            codes[at_fault] = refusal.code
            return codes
        if len(chain) > 1:
            for number in numbers:
                self.journal[number].group = numbers[0]
        return numbers

    def _check_chain(self, posting: Posting, *, last: bool) -> None:
        if last and posting.linked:
            raise RefusedError(Code.LINKED_CHAIN_OPEN)

    def hold(
        self, *, account: int, payee: int, amount: int, day: int, currency: str, past: bool
    ) -> int:
        """Set money aside and return the hold's number."""
        if account == payee:
            raise RefusedError(Code.SAME_ACCOUNT)
        if account in self.accounts and not self.accounts[account].running:
            raise RefusedError(Code.UNKNOWN_DEBIT_ACCOUNT)
        self._check_pair(account, payee, amount, currency)
        if past:
            raise RefusedError(Code.INVALID_EXPIRY)
        available = self.available(account)
        if available is not None and amount > available:
            raise RefusedError(Code.INSUFFICIENT_FUNDS)
        self._spend(self.accounts[account], payee, amount, day)
        self.holds.append(Hold(account, payee, amount, day))
        return len(self.holds) - 1

    def capture(self, number: int, *, amount: int, day: int) -> int:
        """Pay a part of a hold, free the rest, and return the transfer's number."""
        hold = self._open_hold(number)
        account = self.accounts[hold.account]
        if amount > hold.amount:
            raise RefusedError(Code.CAPTURE_EXCEEDS_HOLD)
        self._check_pair(hold.account, hold.payee, amount, account.currency)
        posting = Posting(hold.account, hold.payee, amount, account.currency, "payment")
        hold.state = "captured"
        try:
            self._check_funds(posting)
        except RefusedError:
            hold.state = "open"
            raise
        self._give_back(hold, hold.amount - amount, day)
        return self._move(posting)

    def release(self, number: int, *, day: int) -> None:
        """Free a hold's money."""
        hold = self._open_hold(number)
        hold.state = "released"
        self._give_back(hold, hold.amount, day)

    def run_out(self, number: int) -> None:
        """Let a hold's time be over: what is open counts no longer, on the day it was placed."""
        hold = self.holds[number]
        if hold.state == "open" and not hold.past:
            self._give_back(hold, hold.amount, hold.day)
        hold.past = True

    def reverse(self, number: int) -> int:
        """Post the opposite of a transfer or of its whole group, newest first."""
        asked = self.journal[number]
        numbers = [
            n
            for n, leg in enumerate(self.journal)
            if n == number or (leg.group is not None and leg.group == asked.group)
        ]
        before = deepcopy(self.__dict__)
        first = len(self.journal)
        try:
            for n in reversed(numbers):
                self._reverse_leg(self.journal[n])
        except RefusedError:
            self.__dict__.update(before)
            raise
        if len(numbers) > 1:
            for leg in self.journal[first:]:
                leg.group = first
        return first

    def _reverse_leg(self, leg: Leg) -> None:
        if leg.posting.kind == "reversal":
            raise RefusedError(Code.NOT_REVERSIBLE)
        if leg.reversed:
            raise RefusedError(Code.ALREADY_REVERSED)
        debit, credit, amount = leg.posting.credit, leg.posting.debit, leg.posting.amount
        currency = self.accounts[debit].currency
        self._check_pair(debit, credit, amount, currency)
        opposite = Posting(debit, credit, amount, currency, "reversal")
        self._check_funds(opposite)
        leg.reversed = True
        self._move(opposite)

    def set_status(self, number: int, status: str) -> None:
        """Freeze, unfreeze or close."""
        account = self._governed(number)
        if status == "closed":
            if not account.running:
                raise RefusedError(Code.INVALID_STATUS)
            if self.held(number):
                raise RefusedError(Code.HOLD_OPEN)
            if account.balance:
                raise RefusedError(Code.BALANCE_NOT_ZERO)
        account.status = status

    def set_limits(self, number: int, overdraft: int | None, daily: int | None) -> None:
        """Set what an account may owe and spend in a day."""
        account = self._governed(number)
        if not account.running:
            raise RefusedError(Code.INVALID_STATUS)
        account.overdraft_limit, account.daily_limit = overdraft, daily

    def set_payee_limit(self, number: int, payee: int, limit: int | None) -> None:
        """Set what an account may pay to one payee in a day; it counts from when it was set."""
        account = self._governed(number)
        if not account.running:
            raise RefusedError(Code.INVALID_STATUS)
        if limit is None:
            account.payee_limits.pop(payee, None)
            account.payee_spending.pop(payee, None)
        else:
            account.payee_limits[payee] = limit
            account.payee_spending.setdefault(payee, Spending())

    def _governed(self, number: int) -> Account:
        if number not in self.accounts:
            raise RefusedError(Code.UNKNOWN_ACCOUNT)
        if self.accounts[number].status == "closed":
            raise RefusedError(Code.ACCOUNT_CLOSED)
        return self.accounts[number]

    def _open_hold(self, number: int) -> Hold:
        hold = self.holds[number]
        if hold.state == "open" and hold.past:
            raise RefusedError(Code.HOLD_EXPIRED)
        if hold.state != "open":
            raise RefusedError(Code.HOLD_NOT_OPEN)
        return hold

    def _check_holder(self, number: int, holder: int | None) -> None:
        known = self.accounts.get(number)
        if holder is not None and (known is None or holder not in known.holders):
            raise RefusedError(Code.UNKNOWN_DEBIT_ACCOUNT)

    def _check_pair(self, debit: int, credit: int, amount: int, currency: str) -> None:
        payer, payee = self.accounts.get(debit), self.accounts.get(credit)
        if amount > MOST_AMOUNT:
            raise RefusedError(Code.AMOUNT_TOO_LARGE)
        if amount <= 0:
            raise RefusedError(Code.INVALID_AMOUNT)
        if payer is None:
            raise RefusedError(Code.UNKNOWN_DEBIT_ACCOUNT)
        if payee is None:
            raise RefusedError(Code.UNKNOWN_CREDIT_ACCOUNT)
        for status in ("FROZEN", "CLOSED"):
            for account, leg in ((payer, "DEBIT"), (payee, "CREDIT")):
                if account.status == status.lower():
                    raise RefusedError(Code[f"{leg}_ACCOUNT_{status}"])
        if payer.currency != payee.currency:
            raise RefusedError(Code.CURRENCIES_DIFFER)
        if payer.currency != currency:
            raise RefusedError(Code.WRONG_CURRENCY)

    def _check_funds(self, posting: Posting) -> None:
        for number, leg in ((posting.debit, -1), (posting.credit, 1)):
            account = self.accounts[number]
            available = self.available(number)
            if not account.running or leg * account.side > 0 or available is None:
                continue
            if posting.amount > available:
                raise RefusedError(Code.INSUFFICIENT_FUNDS)

    def _spend(self, payer: Account, payee: int, amount: int, day: int) -> None:
        limit = payer.daily_limit
        if limit is not None and payer.spending.on(day) + amount > limit:
            raise RefusedError(Code.DAILY_LIMIT_EXCEEDED)
        if payee in payer.payee_limits:
            spending = payer.payee_spending[payee]
            if spending.on(day) + amount > payer.payee_limits[payee]:
                raise RefusedError(Code.PAYEE_LIMIT_EXCEEDED)
            spending.count(amount, day)
        payer.spending.count(amount, day)

    def _give_back(self, hold: Hold, unused: int, day: int) -> None:
        """Count the unused part of a hold no longer, on its own day."""
        account = self.accounts[hold.account]
        if hold.day == day and unused:
            account.spending.give_back(unused, day)
            if hold.payee in account.payee_limits:
                account.payee_spending[hold.payee].give_back(unused, day)

    def _move(self, posting: Posting) -> int:
        payer, payee = self.accounts[posting.debit], self.accounts[posting.credit]
        payer.balance -= payer.side * posting.amount
        payee.balance += payee.side * posting.amount
        self.journal.append(Leg(posting))
        return len(self.journal) - 1
