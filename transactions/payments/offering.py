"""What a form of payments offers: accounts to pay from with what is left, and payees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from transactions.branches.asking import ask_head_office_itself
from transactions.limits.remaining import Remaining, remaining_of
from transactions.payments.models import Payee
from transactions.payments.payees import payees_of
from transactions.selectors import AccountView, accounts_of

NEWEST: Final = 5
_MOST_FOUND: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOffer:
    """What to choose from. ``sought``: the payees are those in which it stands."""

    accounts: Sequence[AccountView]
    remaining: Mapping[int, Remaining]
    payees: Sequence[Payee]
    sought: str

    @property
    def limited(self) -> Sequence[tuple[AccountView, Remaining]]:
        """The accounts whose spending is limited, with what is left."""
        known = [(account, self.remaining.get(account.number)) for account in self.accounts]
        return [(account, left) for account, left in known if left and (left.today or left.at_once)]


def payment_offer(user: int, *, sought: str, chosen: str, now: datetime) -> PaymentOffer:
    """Return what a person may pay from, and payees: the newest, or those that are sought.

    A ``chosen`` one, by its account's number, is always among them. While the head office is
    silent, which alone knows payees, there are none.
    """
    sought = sought.strip()
    payees = ask_head_office_itself(lambda _node: _payees(user, sought=sought, chosen=chosen))
    return PaymentOffer(
        accounts=accounts_of(user),
        remaining=remaining_of(user, now=now),
        payees=payees or [],
        sought=sought,
    )


def _payees(user: int, *, sought: str, chosen: str) -> Sequence[Payee]:
    payees = payees_of(user, after=None, limit=_MOST_FOUND if sought else NEWEST, text=sought)
    if chosen.isdecimal() and chosen not in {str(payee.account) for payee in payees}:
        return [*payees_of(user, after=None, limit=1, text=chosen), *payees]
    return payees
