"""Tell load balancers and people whether the bank can serve."""

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from redis import RedisError


@require_safe
def health(_request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database answers, else 503. The broker's state is told, not needed."""
    database, broker = _database_answers(), _broker_answers()
    state = {
        "status": "ok" if database else "down",
        "database": "ok" if database else "down",
        "broker": "ok" if broker else "down",
    }
    return JsonResponse(state, status=200 if database else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _broker_answers() -> bool:
    try:
        cache.get("health")
    except RedisError:
        return False
    return True
