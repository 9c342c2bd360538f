"""What is only looked at in the Django admin."""

from typing import Any

from django.http import HttpRequest

from accounts.admin.look import BankAdmin


class ReadOnlyAdmin(BankAdmin):
    """Rows that nobody adds, changes or deletes here."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  # Django passes it
        """Add nothing here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  # Django passes them
        """Change nothing here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  # Django passes them
        """Delete nothing: journals name them."""
        return False
