"""Postings of a closing: many at once, each once.

Each has a reference made of step, month and account, which the ledger lets be used once and which
moves along with the account.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from core.clock import bank_day, start_of
from core.money import Money
from transactions.branches.outcomes import silence_named
from transactions.branches.registry import branch_number_of, nodes
from transactions.chart import Place, open_chart
from transactions.closing.outcome import Outcome
from transactions.ledger.accruals import Due, posted_under
from transactions.ledger.codes import Code
from transactions.ledger.posting import (
    BANK_CLIENT,
    Channel,
    Kind,
    Order,
    Transfer,
    post_batch,
)

_CHUNK: Final = 2_000
_SMALLEST: Final = timedelta(microseconds=1)
_IN: Final = {
    Kind.INTEREST: Place.INTEREST_EXPENSE,
    Kind.FEE: Place.FEE_INCOME,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Monthly:
    """What is posted for a month: interest to accounts, or a fee from them."""

    kind: Kind
    month: date
    last: date

    @property
    def prefix(self) -> str:
        """What the references of its postings begin with."""
        return f"{self.kind}/{self.month:%Y-%m}/"

    @property
    def memo(self) -> str:
        """What its postings say."""
        return f"{self.kind.capitalize()} for {self.month:%B %Y}"

    @property
    def ended_at(self) -> datetime:
        """The last instant of the month, which its postings are for."""
        return start_of(self.last + timedelta(days=1)) - _SMALLEST

    def post(self, dues: Sequence[Due], *, node: str, now: datetime) -> Mapping[int, Code]:
        """Post to accounts of a node what is due, and return why some refuse, by account.

        What was posted before is left as it is.

        Raises:
            BranchDown, OutcomeUnknown: the node does not answer; doing it again is harmless.
            Busy
        """
        order = Order(client=BANK_CLIENT, channel=Channel.BANK, day=bank_day(now), key=None)
        refused: dict[int, Code] = {}
        with silence_named(node):
            bank = self._bank_accounts(dues, node)
            for chunk in _chunks(dues):
                transfers = [self._transfer(due, bank[due.currency]) for due in chunk]
                receipt = post_batch(transfers, order=order, using=node)
                refused |= {chunk[item].account: code for item, code in receipt.refusals.items()}
        return {
            account: code for account, code in refused.items() if code != Code.DUPLICATE_REFERENCE
        }

    def outcome(self, *, left_out: Mapping[int, Code]) -> Outcome:
        """Return all that was posted for the month on all nodes."""
        items, amounts = 0, Counter[str]()
        for node in nodes():
            with silence_named(node):
                for posted in posted_under(self.prefix, using=node):
                    items += posted.postings
                    amounts[posted.currency] += posted.minor
        return Outcome(items, amounts, Counter(code.name.lower() for code in left_out.values()))

    def _bank_accounts(self, dues: Sequence[Due], node: str) -> Mapping[str, int]:
        branch = branch_number_of(node)
        return {
            currency: open_chart(branch=branch, currency=currency, using=node).number(
                _IN[self.kind]
            )
            for currency in {due.currency for due in dues}
        }

    def _transfer(self, due: Due, bank: int) -> Transfer:
        is_earned = self.kind == Kind.INTEREST
        return Transfer(
            bank if is_earned else due.account,
            due.account if is_earned else bank,
            Money(due.minor, due.currency),
            kind=self.kind,
            memo=self.memo,
            reference=f"{self.prefix}{due.account}",
            event_at=self.ended_at,
        )


def _chunks(dues: Sequence[Due]) -> Iterator[Sequence[Due]]:
    for begin in range(0, len(dues), _CHUNK):
        yield dues[begin : begin + _CHUNK]
