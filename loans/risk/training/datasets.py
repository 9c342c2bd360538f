"""What models are trained on: rows of features, and what became of each loan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.errors import DomainError

Value = float | str | None


class NotEnoughLoans(DomainError):
    """There are too few loans, or too few that went bad, to learn anything from."""

    code = "not_enough_loans"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loans:
    """Loans whose outcome is known: ``bad`` says which were not repaid as agreed.

    ``parts`` says which file a loan comes from, so that models can be compared within each;
    ``groups`` is what fairness is measured over. Neither is a feature.
    """

    name: str
    ids: Sequence[str]
    rows: Sequence[Mapping[str, Value]]
    bad: Sequence[bool]
    parts: Sequence[int]
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)

    def described(self) -> str:
        """Return how many loans there are, and how many of them bad."""
        return f"{len(self.rows)} loans, {sum(self.bad)} bad"


def refuse_too_few(loans: Loans, *, least: int) -> Loans:
    """Return the loans if there are ``least`` bad and good ones each.

    Raises:
        NotEnoughLoans
    """
    bad = sum(loans.bad)
    if min(bad, len(loans.bad) - bad) < least:
        message = f"{loans.name}: {loans.described()}; {least} good and bad ones are needed each"
        raise NotEnoughLoans(message)
    return loans
