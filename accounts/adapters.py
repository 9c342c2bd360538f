"""How the log-in door makes people of forms."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from accounts.models import User
from accounts.services import head_office


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """The door's view of our people."""

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:  # noqa: FBT001, FBT002  # as allauth calls it
        """Save a person who signs up, with the name and the branch that they chose."""
        user.full_name = form.cleaned_data["full_name"]
        user.branch = form.cleaned_data.get("branch") or head_office()
        saved: User = super().save_user(request, user, form, commit)
        return saved
