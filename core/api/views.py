"""What every view of the API is."""

from typing import Any

from django.utils.cache import add_never_cache_headers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class BankView(APIView):
    """A view of the API: what it answers is for the caller alone, and for now."""

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Keep the answer out of every cache."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        add_never_cache_headers(answer)
        return answer


def caller_pk(request: Request) -> int:
    """Return the id of the person who asks."""
    return int(request.user.pk)  # type: ignore[arg-type]  # nobody without an id gets here
