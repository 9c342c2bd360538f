"""A burst of payments in the demo, so that somebody who looks after fraud has something to do."""

from datetime import datetime
from typing import Final

from accounts.models import Holding, Product, Rights
from core.clock import bank_day
from core.money import Money
from transactions.branches.registry import HEAD_OFFICE, node_of
from transactions.ledger.posting import Channel, Order, Transfer, post

_PAYMENTS: Final = 12
_EACH: Final = Money(49_900, "INR")


def add_burst(*, now: datetime) -> None:
    """Let somebody pay a dozen vouchers in a minute, from the head office's last rupee account.

    Again, it does nothing: each payment has its key.
    """
    held = Holding.objects.filter(
        rights=Rights.OWNER, account__product=Product.CURRENT, account__currency=_EACH.currency
    ).order_by("-account")
    here = [one for one in held if node_of(one.account_id) == HEAD_OFFICE][:2]
    if len(here) < 2:  # noqa: PLR2004  # one who pays and one who is paid
        return
    payer, payee = here
    for number in range(1, _PAYMENTS + 1):
        order = Order(
            client=payer.user_id,
            channel=Channel.WEB,
            day=bank_day(now),
            key=f"demo burst {number}",
        )
        voucher = Transfer(payer.account_id, payee.account_id, _EACH, memo=f"Voucher {number}")
        post(voucher, order=order)
