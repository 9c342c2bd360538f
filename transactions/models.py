"""What Django keeps for this app; the ledger itself is SQL."""

from transactions.branches.models import Node
from transactions.limits.models import LimitRaise
from transactions.payments.models import Payee, PayeeCooling, ScheduledTransfer, StandingOrder
from transactions.permissions import AccountDesk, CashDesk

__all__ = [
    "AccountDesk",
    "CashDesk",
    "LimitRaise",
    "Node",
    "Payee",
    "PayeeCooling",
    "ScheduledTransfer",
    "StandingOrder",
]
