"""What Django keeps for this app; the ledger itself is SQL."""

from transactions.branches.models import Node
from transactions.bulk.models import BulkFile
from transactions.calendars.models import Holiday
from transactions.card_payments.models import CardPayment
from transactions.closing.models import BankDay, ClosingStep
from transactions.disputes.models import Dispute
from transactions.fraud.models import FraudAlert, LogInsWatched
from transactions.interest.models import WithheldInterest
from transactions.limits.models import LimitRaise
from transactions.payments.models import Payee, PayeeCooling, ScheduledTransfer, StandingOrder
from transactions.permissions import AccountDesk, CashDesk
from transactions.products.models import ProductTerms
from transactions.statements.models import MonthlyStatement, MovementCategory, StatementMailing

__all__ = [
    "AccountDesk",
    "BankDay",
    "BulkFile",
    "CardPayment",
    "CashDesk",
    "ClosingStep",
    "Dispute",
    "FraudAlert",
    "Holiday",
    "LimitRaise",
    "LogInsWatched",
    "MonthlyStatement",
    "MovementCategory",
    "Node",
    "Payee",
    "PayeeCooling",
    "ProductTerms",
    "ScheduledTransfer",
    "StandingOrder",
    "StatementMailing",
    "WithheldInterest",
]
