"""Booking cash: the Python side of ``sql/cash.sql``."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from core.money import Money
from transactions.ledger.connection import fetch_one
from transactions.ledger.posting import Kind, Order, Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """Cash that moves between a customer's ``account`` and the ``cash`` of a till or machine.

    ``most``, when given, is what may move this way by the order's channel in a day, in minor units;
    the order's day began at ``since``.
    """

    account: int
    cash: int
    amount: Money
    kind: Literal[Kind.DEPOSIT, Kind.WITHDRAWAL]
    since: datetime
    most: int | None
    memo: str | None = None


def book_cash(booking: Booking, *, order: Order, using: str = "default") -> Receipt:
    """Book a deposit or withdrawal in one statement.

    The order's holder, when given, must hold rights on the account, whichever side it is.

    Raises:
        Refused: with the reason; nothing is written.
        Busy: try again.
    """
    parameters = {
        **asdict(booking),
        "amount": booking.amount.minor,
        "currency": booking.amount.currency,
        "client": order.client,
        "key": order.key,
        "channel": order.channel,
        "day": order.day,
        "holder": order.holder,
    }
    return Receipt(*fetch_one("book_cash", parameters, using))
