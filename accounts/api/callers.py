"""Who calls the API, for services."""

from typing import cast

from rest_framework.request import Request

from accounts.callers import Caller


def caller_of(request: Request) -> Caller:
    """Return who asks, of a view that anonymous people do not get to."""
    return cast("Caller", request.user)
