"""Groups of permissions that a bank begins with: an admin who is in one works as that."""

from typing import Any, Final

from django.db.models import Q

from core.db.aliases import HEAD_OFFICE

GROUPS: Final = {
    "Tellers": (
        "accounts.view_account",
        "accounts.view_user",
        "transactions.book_cash",
        "transactions.fill_with_cash",
    ),
    "Dispute officers": (
        "accounts.view_account",
        "accounts.view_approval",
        "accounts.view_user",
        "transactions.answer_dispute",
        "transactions.view_dispute",
    ),
    "Fraud officers": (
        "accounts.view_account",
        "accounts.view_approval",
        "accounts.view_user",
        "transactions.decide_fraudalert",
        "transactions.view_fraudalert",
    ),
    "Loan officers": (
        "accounts.view_account",
        "accounts.view_approval",
        "accounts.view_user",
        "loans.review_loan",
        "loans.view_loan",
        "loans.view_loanapplication",
    ),
}
"""What who is in a group may do at first. The bank changes its groups as it likes."""


def on_migrated(*, using: str, apps: Any, **_others: Any) -> None:
    """Make the groups that are missing, once there are all their permissions."""
    if using != HEAD_OFFICE:
        return
    try:
        groups, permissions = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    except LookupError:
        # Migrated half the way, on purpose.
        return
    for name, wanted in GROUPS.items():
        found = permissions.objects.using(using).filter(_any_of(wanted))
        if len(found) == len(wanted):
            group, is_new = groups.objects.using(using).get_or_create(name=name)
            if is_new:
                group.permissions.set(found)


def _any_of(wanted: tuple[str, ...]) -> Q:
    found = Q()
    for permission in wanted:
        app, _, codename = permission.partition(".")
        found |= Q(content_type__app_label=app, codename=codename)
    return found
