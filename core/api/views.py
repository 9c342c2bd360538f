"""What every view of the API is."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.utils.cache import add_never_cache_headers
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.access import Access

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


class BankView(APIView):
    """A view of the API: what it answers is for the caller alone, and for now.

    ``access`` says for each method who may use it. A class that forgets one does not get through
    its import, so nothing is let in that nobody decided about.
    """

    access: ClassVar[Mapping[str, Access]] = {}
    # What a view can do is told by the OpenAPI, so OPTIONS has no work here.
    http_method_names: ClassVar[list[str]] = ["get", "head", "post", "put", "patch", "delete"]  # type: ignore[misc]  # the same list for all

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Check that each method says who may use it."""
        super().__init_subclass__(**kwargs)
        answered = {method for method in METHODS if hasattr(cls, method.lower())}
        if answered != set(cls.access):
            message = f"{cls.__qualname__} answers {answered}: `access` must name just these"
            raise TypeError(message)

    def check_permissions(self, request: Request) -> None:
        """Let in whom ``access`` names.

        Raises:
            MethodNotAllowed, NotAuthenticated, Forbidden
        """
        method = "GET" if request.method == "HEAD" else str(request.method)
        access = self.access.get(method)
        if access is None:
            raise MethodNotAllowed(method)
        access.check(request.user)

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
