"""Who works in the Django admin."""

from django.http import HttpRequest

from accounts.callers import Caller
from accounts.models import Role


def caller_in_admin(request: HttpRequest) -> Caller:
    """Return who works in the admin, as services know callers: nobody without an id gets there."""
    return Caller(
        pk=int(request.user.pk or 0),
        role=Role.ADMIN,
        scopes=None,
        via="session",
        credential="admin",
    )
