"""The parts of the OpenAPI that all operations share: credentials, headers and problems."""

from http import HTTPStatus
from typing import Any, Final

from core.api.problems import CONTENT_TYPE

_EXAMPLE_ID: Final = "5f6f1f0e-8f5a-4c68-9a53-0d0a8d6d0c11"

# Which refusals a request can meet, whatever it asks for: code and words of an example each.
_REFUSALS: Final = {
    400: ("invalid_json", "The body is not JSON in UTF-8."),
    401: ("not_authenticated", "Authentication credentials were not provided."),
    403: ("forbidden", "This is not for the role employee."),
    404: ("not_found", "There is nothing at this address."),
    406: ("not_acceptable", "Could not satisfy the request Accept header."),
    409: ("key_in_use", "A request with this key is being worked on; send it again."),
    413: ("request_too_large", "The body has more than 64 KiB."),
    415: ("unsupported_media_type", 'Unsupported media type "text/plain" in request.'),
    422: ("not_a_string", "This must be a JSON string."),
    429: ("too_many_requests", "Request was throttled. Expected available in 3 seconds."),
    503: ("busy", "Too much is going on at this account; nothing was done, send the same again."),
}
_WITHOUT_BODY: Final = (400, 401, 403, 404, 406, 409, 422, 429, 503)

_PROBLEM: Final = {
    "type": "object",
    "description": "Why a request was refused (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "For people."},
        "code": {"type": "string", "description": "For programs; it does not change."},
        "request_id": {"type": "string", "format": "uuid"},
        "errors": {
            "type": "array",
            "description": "What is wrong with which field.",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer to the field."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_HEADERS: Final = {
    "X-Request-ID": ("The request's id: yours, when you sent a UUID.", {"format": "uuid"}),
    "RateLimit-Policy": ("How many requests are let through in which time.", {}),
    "RateLimit": ("How many are left, and in how many seconds all are back.", {}),
    "Idempotency-Replayed": ("`true`: it was done before, under the same key.", {}),
    "Location": ("Where to find what was made.", {}),
    "Retry-After": ("Seconds to wait.", {}),
}
_CREDENTIALS: Final = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "What logging in gives, for five minutes.",
    },
    "key": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "API key",
        "description": "An API key with the scope named here.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "A browser's session; what writes needs `X-CSRFToken`, too.",
    },
}


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


USUAL_HEADERS: Final = _headers("X-Request-ID", "RateLimit-Policy", "RateLimit")
KEYED_HEADERS: Final = {**USUAL_HEADERS, **_headers("Idempotency-Replayed", "Location")}


def refusals(*, has_body: bool) -> dict[str, Any]:
    """Return the answers to what is refused, by status."""
    statuses = _REFUSALS if has_body else _WITHOUT_BODY
    return {str(one): {"$ref": f"#/components/responses/{_name(one)}"} for one in statuses}


def with_components(result: dict[str, Any], **_generation: Any) -> dict[str, Any]:
    """Add to a generated document what its operations refer to."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components["responses"] = {_name(status): _refusal(status) for status in _REFUSALS}
    components["headers"] = {
        name: {"description": text, "schema": {"type": "string", **format_}}
        for name, (text, format_) in _HEADERS.items()
    }
    components["securitySchemes"] = _CREDENTIALS
    return result


def promised(endpoints: list[Any]) -> list[Any]:
    """Keep the addresses under ``/api/v1/``: no others are promised to programs."""
    return [one for one in endpoints if one[0].startswith("/api/v1/")]


def _name(status: int) -> str:
    return HTTPStatus(status).name.title().replace("_", "")


def _refusal(status: int) -> dict[str, Any]:
    code, detail = _REFUSALS[status]
    phrase = HTTPStatus(status).phrase
    example = {
        "type": "about:blank",
        "title": phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": _EXAMPLE_ID,
    }
    waits = ("Retry-After",) if status in {429, 503} else ()
    return {
        "description": phrase,
        "headers": _headers("X-Request-ID", *waits),
        "content": {
            CONTENT_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "example": example,
            }
        },
    }
