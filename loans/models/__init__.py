"""What the head office knows of loans. What a loan owes is the ledger's to say."""

from loans.models.applications import ApplicationState, Document, LoanApplication
from loans.models.changes import Restructuring, RestructuringState, WriteOff
from loans.models.dues import Due, InterestDay, LoanCharge, Repayment
from loans.models.lent import Instalment, Loan, LoanPlan, LoanState
from loans.models.terms import OFFERED, LoanProduct, LoanTerms, RepaymentMethod
from loans.risk.models import (
    RiskAppointment,
    RiskModel,
    RiskModelFile,
    RiskScore,
    RiskWatch,
)

__all__ = [
    "OFFERED",
    "ApplicationState",
    "Document",
    "Due",
    "Instalment",
    "InterestDay",
    "Loan",
    "LoanApplication",
    "LoanCharge",
    "LoanPlan",
    "LoanProduct",
    "LoanState",
    "LoanTerms",
    "Repayment",
    "RepaymentMethod",
    "Restructuring",
    "RestructuringState",
    "RiskAppointment",
    "RiskModel",
    "RiskModelFile",
    "RiskScore",
    "RiskWatch",
    "WriteOff",
]
