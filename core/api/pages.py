"""Pages of listings: how many entries, and where the next begins."""

import re
from typing import Final

from rest_framework.request import Request

from core.errors import DomainError

MOST_ENTRIES: Final = 100
USUAL_ENTRIES: Final = 50
_LIMIT: Final = re.compile(r"[0-9]{1,3}", re.ASCII)


class InvalidLimit(DomainError):
    """A page of a listing cannot have this size."""

    code = "invalid_limit"
    http_status = 400


def page_size(request: Request) -> int:
    """Return how many entries the caller wants on a page.

    Raises:
        InvalidLimit
    """
    text = request.query_params.get("limit", str(USUAL_ENTRIES))
    if not _LIMIT.fullmatch(text) or int(text) not in range(1, MOST_ENTRIES + 1):
        message = f"A page has 1 to {MOST_ENTRIES} entries."
        raise InvalidLimit(message)
    return int(text)
