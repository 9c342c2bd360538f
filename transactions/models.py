"""What Django keeps for this app; the ledger itself is SQL."""

from transactions.branches.models import Node
from transactions.payments.models import ScheduledTransfer
from transactions.permissions import CashDesk

__all__ = ["CashDesk", "Node", "ScheduledTransfer"]
