"""The course of one account, as the rules look at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core.money import currency_named
from transactions.fraud.bounds import REPORTED
from transactions.ledger.posting import Channel, Kind

SENT: Final = frozenset({Kind.TRANSFER, Kind.PAYMENT})
CASH: Final = frozenset({Kind.WITHDRAWAL, Kind.DEPOSIT})
_TAIL: Final = (1 << 62) - 1
_BRANCH: Final = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One payment of an account, or cash on it; ``after`` is the balance then, in minor units.

    ``other`` is the account at the other end: of cash, the till or machine.
    """

    id: UUID
    at: datetime
    is_out: bool
    amount: int
    after: int
    other: int
    kind: str
    channel: str

    @property
    def order(self) -> int:
        """What was posted together, as one batch, has the same end of its ids: it is one order."""
        return self.id.int & _TAIL

    @property
    def is_cash(self) -> bool:
        """Tell whether somebody was there, at a counter or a machine."""
        return self.kind in CASH and self.channel in {Channel.TELLER, Channel.MACHINE}

    @property
    def branch(self) -> int:
        """The number of the branch at the other end."""
        return self.other // _BRANCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What moved on an account, oldest first; ``own`` are other accounts of the same people."""

    account: int
    currency: str
    movements: Sequence[Movement]
    own: frozenset[int] = frozenset()

    @property
    def reported(self) -> int | None:
        """The amount of cash that is reported, in minor units; None: nobody knows."""
        units = REPORTED.get(self.currency)
        return None if units is None else units * 10 ** currency_named(self.currency).exponent

    def until(self, place: int) -> "Course":
        """Return the course as it was before the movement at a place."""
        return Course(
            account=self.account,
            currency=self.currency,
            movements=self.movements[:place],
            own=self.own,
        )

    def within(self, window: timedelta, before: datetime) -> list[Movement]:
        """Return what moved in a window of time that ends at an instant."""
        return [one for one in self.movements if before - window < one.at <= before]

    def payments(self) -> list[Movement]:
        """Return what went out."""
        return [one for one in self.movements if one.is_out]
