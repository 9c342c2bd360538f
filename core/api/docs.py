"""The API's documents: the OpenAPI, and two pages that show it from files of our own."""

import json
from functools import cache
from typing import Any, Final

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

DOCUMENT: Final = "api-openapi"


@require_safe
@cache_control(max_age=300)
def openapi(_request: HttpRequest) -> HttpResponse:
    """Answer with the OpenAPI."""
    return HttpResponse(_document(), content_type="application/json")


# Its icons are images in its style sheet.
@method_decorator([require_safe, csp_update({"img-src": ["data:"]})], name="dispatch")
class SwaggerPage(SpectacularSwaggerSplitView):
    """The operations, to be tried out."""

    authentication_classes = ()
    url_name = DOCUMENT


# It writes styles while it runs, and names no nonce. Scripts are held as strictly as everywhere.
@method_decorator(
    [require_safe, csp_update({"style-src": [UNSAFE_INLINE], "img-src": ["data:"]})],
    name="dispatch",
)
class RedocPage(SpectacularRedocView):
    """The operations, to be read."""

    authentication_classes = ()
    url_name = DOCUMENT


@cache
def _document() -> bytes:
    """Return the OpenAPI; it is the same until the bank is started anew."""
    found: dict[str, Any] = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]  # spectacular is
    return json.dumps(found).encode()
