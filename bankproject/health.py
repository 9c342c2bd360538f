"""Tell load balancers and people whether the bank can serve, and which of its backends do."""

from typing import Any

from django.core.cache import cache
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from redis import RedisError

from lb.control.selectors import health_of_backends


@require_safe
def health(_request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database answers, else 503. All else is told, not needed."""
    state: dict[str, Any] = {"broker": "ok" if _broker_answers() else "down"}
    try:
        backends = health_of_backends()
    except DatabaseError:
        return JsonResponse({"status": "down", "database": "down", **state}, status=503)
    if backends:
        state["backends"] = backends
    return JsonResponse({"status": "ok", "database": "ok", **state})


def _broker_answers() -> bool:
    try:
        cache.get("health")
    except RedisError:
        return False
    return True
