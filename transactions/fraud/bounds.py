"""What counts as unusual: every threshold of the rules, with its reason."""

from datetime import timedelta
from typing import Final

VELOCITY_WINDOW: Final = timedelta(minutes=10)
"""As long as somebody who has taken an account over needs to empty it by hand."""
VELOCITY_LEAST: Final = 8
"""People who pay a month's bills in one sitting come to five or six."""
VELOCITY_TIMES_USUAL: Final = 4
USUAL_BEFORE: Final = timedelta(days=1)
"""A burst must not be its own measure: what is usual is what was so a day earlier."""

NEW_PAYEE_TIMES_LARGEST: Final = 3
"""Salaries and prices grow slowly; three times the largest payment so far is no growth."""
NEW_PAYEE_LEAST_PART: Final = 5
"""Below a fifth of the reported amount, a mistake costs less than the question."""
KNOWN_AFTER: Final = 5
"""With fewer payments than these, nobody can say what is usual."""
EMPTIED_PERCENT: Final = 80
"""An account of which nobody knows what is usual is looked at when so much of it leaves at once."""

STRUCTURING_WINDOW: Final = timedelta(days=3)
"""A weekend, over which no counter is open, lies within."""
STRUCTURING_LEAST: Final = 3
"""Two amounts just below the bound are chance; three within three days are seldom."""
STRUCTURING_FROM_PERCENT: Final = 80
REPORTED: Final = {
    "INR": 50_000,
    "EUR": 10_000,
    "USD": 10_000,
    "CZK": 270_000,
    "JPY": 2_000_000,
    "KWD": 3_000,
}
"""Units of a currency from which on cash is reported, or a tax number is asked for.

INR: rule 114B of the Income-tax Rules; USD: 31 CFR 1010.311; EUR: Regulation (EU) 2024/1624; CZK:
Act 254/2004. In a currency that is not here, the rules that need the amount are silent.
"""

BRANCHES_WINDOW: Final = timedelta(hours=1)
"""Between the machines of two branches lies more than an hour, on average."""
FASTEST_KMH: Final = 900
"""An airliner's speed."""
LEAST_KM: Final = 500
"""Locations of addresses are often wrong by the size of a country's region."""
DEVICES_WINDOW: Final = timedelta(hours=1)
DEVICES_KNOWN_AFTER: Final = 3
"""Who has logged in less often is still getting their devices to know."""

SCORED_AFTER: Final = 20
"""Payments before the first score: medians of fewer say little."""
ALARM_SCORE: Final = 4.3
"""One payment of three thousand of the Czech bank's history lies above (decision 0034)."""
