"""What came of a step of closing a day."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many things a step made, their amounts by currency, and what it left out, by reason.

    Amounts are minor units. It tells of all that was made for the day, also by a try before this
    one.
    """

    items: int
    amounts: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
