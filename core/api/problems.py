"""Problem details (RFC 9457): how every refusal of the API looks."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from math import ceil
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from core.db.errors import Busy
from core.errors import DomainError
from core.middleware import request_id
from core.refusals import count_refusal

CONTENT_TYPE: Final = "application/problem+json"
_BEARER: Final = 'Bearer realm="api"'
_CODES: Final = {
    HTTPStatus.BAD_REQUEST: "bad_request",
    HTTPStatus.UNAUTHORIZED: "not_authenticated",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.NOT_ACCEPTABLE: "not_acceptable",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
    HTTPStatus.TOO_MANY_REQUESTS: "too_many_requests",
    HTTPStatus.INTERNAL_SERVER_ERROR: "internal_error",
}


class RequestTooLarge(exceptions.APIException):
    """A request's body is larger than any the API knows."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "request_too_large"


def problem(
    request: HttpRequest,
    *,
    status: int,
    detail: str,
    code: str | None = None,
    errors: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Return a problem's members; those without a value are left out."""
    known = HTTPStatus(status)
    members: dict[str, Any] = {
        "type": "about:blank",
        "title": known.phrase,
        "status": int(known),
        "detail": detail,
        "code": code or _CODES.get(known, "refused"),
        "request_id": request_id(request),
    }
    return {**members, "errors": list(errors)} if errors else members


def problem_response(
    request: HttpRequest, *, status: int, detail: str, code: str | None = None
) -> JsonResponse:
    """Answer a request that no view of the API took with a problem."""
    members = problem(request, status=status, detail=detail, code=code)
    return JsonResponse(members, status=status, content_type=CONTENT_TYPE)


def handle(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Turn what a view of the API raised into a problem; None for what nobody expected."""
    request: HttpRequest = context["request"]._request  # noqa: SLF001  # DRF names it so
    members = _members_of(error, request)
    if members is None:
        return None
    count_refusal(members["code"])
    headers = {
        "WWW-Authenticate": _BEARER if members["status"] == HTTPStatus.UNAUTHORIZED else None,
        "Retry-After": _seconds_to_wait(error),
        "Allow": _methods(error, context["view"]),
    }
    return Response(
        members,
        status=members["status"],
        headers={name: value for name, value in headers.items() if value},
        content_type=CONTENT_TYPE,
    )


def _methods(error: Exception, view: Any) -> str | None:
    refused = isinstance(error, exceptions.MethodNotAllowed)
    return ", ".join(view.allowed_methods) if refused else None


def _seconds_to_wait(error: Exception) -> str | None:
    wait = 1 if isinstance(error, Busy) else getattr(error, "wait", None)
    return None if wait is None else str(ceil(wait))


def _members_of(error: Exception, request: HttpRequest) -> dict[str, Any] | None:
    if isinstance(error, DomainError):
        members = problem(
            request,
            status=error.http_status,
            detail=error.message,
            code=error.code,
            errors=[_fault(f"/{error.field}", error)] if error.field else (),
        )
        return {**members, **error.members}
    if isinstance(error, Http404):
        return problem(request, status=404, detail="There is nothing at this address.")
    if isinstance(error, PermissionDenied):
        return problem(request, status=403, detail="This is not allowed.")
    if isinstance(error, exceptions.ValidationError):
        faults = list(_faults(error.detail))
        code = faults[0]["code"] if len(faults) == 1 else "invalid_request"
        detail = faults[0]["detail"] if len(faults) == 1 else "Several fields are not right."
        return problem(request, status=422, detail=detail, code=code, errors=faults)
    if isinstance(error, exceptions.APIException):
        return problem(
            request, status=error.status_code, detail=str(error.detail), code=_code_of(error)
        )
    return None


def _code_of(error: exceptions.APIException) -> str | None:
    """Return the code of an error of our own; the framework's are known by their status."""
    known = _CODES.get(HTTPStatus(error.status_code))
    if isinstance(error, exceptions.ParseError | RequestTooLarge) or known is None:
        return str(error.get_codes())
    return known


def _fault(pointer: str, error: DomainError) -> dict[str, str]:
    return {"pointer": pointer, "code": error.code, "detail": error.message}


def _faults(detail: Any, pointer: str = "") -> Iterator[dict[str, str]]:
    """Flatten the framework's nested errors: a JSON pointer to each field at fault."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            # What concerns the body as a whole points at the whole.
            step = "" if name == "non_field_errors" else f"/{_escaped(str(name))}"
            yield from _faults(inner, pointer + step)
    elif isinstance(detail, list):
        for inner in detail:
            yield from _faults(inner, pointer)
    else:
        yield {"pointer": pointer, "code": detail.code, "detail": str(detail)}


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
