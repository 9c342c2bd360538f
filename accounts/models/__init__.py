"""People, branches, and the identity of accounts."""

from accounts.models.branches import Branch, District
from accounts.models.holdings import Account, AccountStatus, Holding, Product, Rights
from accounts.models.people import Role, User, UserManager

__all__ = [
    "Account",
    "AccountStatus",
    "Branch",
    "District",
    "Holding",
    "Product",
    "Rights",
    "Role",
    "User",
    "UserManager",
]
