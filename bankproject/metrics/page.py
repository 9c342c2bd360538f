"""The bank's measures over HTTP, for a Prometheus that knows METRICS_TOKEN."""

from hmac import compare_digest

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bankproject.metrics.measures import Measures


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Tell how the whole bank is now, to whoever knows the token."""
    if settings.METRICS_TOKEN is None:
        raise Http404
    given = request.headers.get("Authorization", "")
    if not compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Measures())
    headers = {"Cache-Control": "private, no-store"}
    return HttpResponse(
        generate_latest(registry), content_type=CONTENT_TYPE_LATEST, headers=headers
    )
