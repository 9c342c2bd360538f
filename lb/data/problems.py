"""The bank's form of an error (RFC 9457), where no application is there to make it."""

import json

from lb.data.heads import status_line


def problem(status: int, detail: str, code: str, request_id: str) -> bytes:
    """Return the body of an answer."""
    told = {
        "type": "about:blank",
        "title": status_line(status)[13:-2].decode(),
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
    }
    return json.dumps(told).encode()
