"""What a row of an imported file is to the bank."""

from dataclasses import dataclass
from datetime import datetime

from transactions.ledger.posting import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a row does to one customer's account, as far as posting is concerned.

    ``change`` and ``rounding`` are in minor units, positive for what comes in, from
    ``counterparty`` and the bank's rounding account. ``line`` and ``label`` say where the row
    stands and what the file calls the account. ``reference`` is the row's own, in the ledger for
    good.
    """

    line: int
    label: str
    account: int
    counterparty: int
    change: int
    currency: str
    kind: Kind
    memo: str
    event_at: datetime
    reference: str
    rounding: int = 0

    @property
    def rounding_reference(self) -> str:
        """The reference of the rounding transfer that may belong to the row."""
        return f"{self.reference}/rounding"


@dataclass(frozen=True, slots=True)
class Row:
    """An entry, and the balance that the file says the account has after it.

    None: the file does not say. Posting never gets to see it.
    """

    entry: Entry
    balance_after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What the journal holds of an entry."""

    counterparty: int
    change: int
    rounding: int
    kind: str
    event_at: datetime
    balance_after: int | None
