"""People, branches, and the identity of accounts."""

from accounts.models.branches import Branch, District
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
    "Approval",
    "ApprovalState",
    "AuditedGroup",
    "Branch",
    "District",
    "GroupPermission",
    "Holding",
    "Membership",
    "Product",
    "Registration",
    "Rights",
    "Role",
    "StatusChange",
    "User",
    "UserManager",
    "UserPermission",
    "UserStatus",
    "Viewing",
]
