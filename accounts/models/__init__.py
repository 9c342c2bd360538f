"""People, branches, and the identity of accounts."""

from accounts.models.audit_entries import AuditEntry
from accounts.models.branches import Branch, District
from accounts.models.cards import Card, CardKind, CardLimit, CardState, CardTier
from accounts.models.credentials import CredentialChange, CredentialEvent
from accounts.models.door import (
    ApiKey,
    Challenge,
    LogIn,
    LogInResult,
    Session,
    SessionKind,
    Untold,
)
from accounts.models.holdings import Account, AccountStatus, Holding, Product, Rights
from accounts.models.oversight import Approval, ApprovalState, Viewing
from accounts.models.people import Role, StatusChange, User, UserManager, UserStatus
from accounts.models.permissions import (
    AuditedGroup,
    GroupPermission,
    Membership,
    UserPermission,
)
from accounts.models.registrations import Registration

__all__ = [
    "Account",
    "AccountStatus",
    "ApiKey",
    "Approval",
    "ApprovalState",
    "AuditEntry",
    "AuditedGroup",
    "Branch",
    "Card",
    "CardKind",
    "CardLimit",
    "CardState",
    "CardTier",
    "Challenge",
    "CredentialChange",
    "CredentialEvent",
    "District",
    "GroupPermission",
    "Holding",
    "LogIn",
    "LogInResult",
    "Membership",
    "Product",
    "Registration",
    "Rights",
    "Role",
    "Session",
    "SessionKind",
    "StatusChange",
    "Untold",
    "User",
    "UserManager",
    "UserPermission",
    "UserStatus",
    "Viewing",
]
