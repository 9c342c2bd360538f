"""The snapshot over HTTP, for data planes on other machines."""

from hmac import compare_digest

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from lb.control.publishing import current_snapshot
from lb.snapshot import write_snapshot


@require_safe
def snapshot(request: HttpRequest) -> HttpResponse:
    """Tell a data plane that knows BALANCER_TOKEN what it shall do; 304 when it knows already."""
    if settings.BALANCER_TOKEN is None:
        raise Http404
    if not _knows_token(request, settings.BALANCER_TOKEN):
        answer = HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="balancer"'})
    else:
        found = current_snapshot()
        etag = f'"v{found.version}"'
        text = write_snapshot(found)
        answer = HttpResponse(text, content_type="application/json", headers={"ETag": etag})
        answer = get_conditional_response(request, etag=etag, response=answer) or answer
    answer["Cache-Control"] = "private, no-cache"
    return answer


def _knows_token(request: HttpRequest, token: str) -> bool:
    given = request.headers.get("Authorization", "")
    return compare_digest(given.encode(), f"Bearer {token}".encode())
