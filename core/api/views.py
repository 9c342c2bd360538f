"""What every view of the API is."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from rest_framework.exceptions import (
    APIException,
    MethodNotAllowed,
    Throttled,
    ValidationError,
)
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.access import Access, KnownCaller
from core.api.pages import PAGING, Page, page_of
from core.api.rate_limits import Allowance, count_address, count_caller
from core.api.serializers import StrictSerializer
from core.client_address import client_address
from core.errors import DomainError

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


class BankView(APIView):
    """A view of the API: what it answers is for the caller alone, and for now.

    ``access`` says for each method who may use it. A class that forgets one does not get through
    its import, so nothing is let in that nobody decided about.

    ``filters`` are the query parameters that it takes where it is read; ``filtered`` holds them,
    checked. Any others are refused.
    """

    access: ClassVar[Mapping[str, Access]] = {}
    filters: ClassVar[type[StrictSerializer] | None] = None
    filtered: Mapping[str, Any]
    allowance: Allowance | None = None
    # What a view can do is told by the OpenAPI, so OPTIONS has no work here.
    http_method_names: ClassVar[list[str]] = ["get", "head", "post", "put", "patch", "delete"]  # type: ignore[misc]  # the same list for all

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Check that each method says who may use it."""
        super().__init_subclass__(**kwargs)
        answered = {method for method in METHODS if hasattr(cls, method.lower())}
        if answered != set(cls.access):
            message = f"{cls.__qualname__} answers {answered}: `access` must name just these"
            raise TypeError(message)

    def perform_authentication(self, request: Request) -> None:
        """Find out who calls, and count the request for them, or for the address it comes from.

        Raises:
            Throttled: the caller, or the address, sent too many.
            APIException, DomainError: what the caller showed is no good.
        """
        try:
            caller = caller_of(request)
        except (APIException, DomainError):
            self._count(count_address(client_address(request)))
            raise
        if caller is None:
            self._count(count_address(client_address(request)))
        else:
            self._count(count_caller(caller.pk))

    def check_permissions(self, request: Request) -> None:
        """Let in whom ``access`` names.

        Raises:
            NotAuthenticated, Forbidden
        """
        self.access[_method(request)].check(caller_of(request))

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let the caller in, then read the filters.

        Raises:
            MethodNotAllowed: whoever calls, there is no such method.
        """
        if _method(request) not in self.access:
            raise MethodNotAllowed(str(request.method))
        super().initial(request, *args, **kwargs)
        self.filtered = self._read_filters(request)

    def page(self, request: Request) -> Page:
        """Return the page that the caller asks for; ``filters`` must inherit from `PageFilters`.

        A cursor is good for the caller, the address and the filters that it was given for.

        Raises:
            InvalidCursor
        """
        given = request.query_params.items()
        kept = sorted((name, text) for name, text in given if name not in PAGING)
        listing = f"{request.path} {request.user.pk} {kept}"
        return page_of(listing, self.filtered)

    def _count(self, allowance: Allowance | None) -> None:
        self.allowance = allowance
        if allowance is not None and allowance.is_exceeded:
            raise Throttled(allowance.seconds)

    def _read_filters(self, request: Request) -> Mapping[str, Any]:
        given = request.query_params
        repeated = [name for name, texts in given.lists() if len(texts) > 1]
        if repeated:
            message = "This parameter stands twice."
            raise ValidationError({name: [message] for name in repeated}, code="duplicate_key")
        filters = self.filters if request.method in {"GET", "HEAD"} else None
        if filters is None and not given:
            return {}
        return (filters or StrictSerializer).read(given.dict())

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Keep the answer out of every cache, and tell how many requests are left."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        if self.allowance is not None:
            self.allowance.tell(answer)
        answer["Cache-Control"] = "private, no-store"
        return answer

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Return what every answer says: only a refused method needs the names of the others."""
        return {}


def _method(request: Request) -> str:
    return "GET" if request.method == "HEAD" else str(request.method)


def caller_of(request: Request) -> KnownCaller | None:
    """Return who asks; None when nobody knows."""
    user: Any = request.user
    return user if user.is_authenticated else None


def caller_pk(request: Request) -> int:
    """Return the id of the person who asks."""
    return int(request.user.pk)  # type: ignore[arg-type]  # nobody without an id gets here
