"""What people are told of their payees and standing orders."""

from datetime import datetime

from notifications.notices.models import NoticeKind
from notifications.notices.telling import NewNotice, tell
from transactions.payments.models import Payee, StandingOrder


def tell_of_payee(payee: Payee, *, now: datetime) -> None:
    """Tell a person that they have a new payee, in the transaction that adds it."""
    told = NewNotice(
        person=payee.user_id,
        kind=NoticeKind.PAYEE_ADDED,
        source=str(payee.pk),
        occurred_at=now,
        data={"name": payee.nickname, "account": payee.account},
    )
    tell([told], now=now)


def tell_of_failed_order(
    order: StandingOrder, *, source: str, reason: str, has_ended: bool, now: datetime
) -> None:
    """Tell a person that a payment of a standing order was refused, in the noting transaction."""
    told = NewNotice(
        person=order.user_id,
        kind=NoticeKind.STANDING_ORDER_FAILED,
        source=source,
        occurred_at=now,
        data={
            "order": str(order.pk),
            "payee": order.credit,
            "amount": order.amount,
            "currency": order.currency,
            "reason": reason,
            "has_ended": has_ended,
        },
    )
    tell([told], now=now)
