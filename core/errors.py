"""What every refusal of the bank looks like to those who asked."""

from typing import Any


class DomainError(Exception):
    """Something could not be done, for a reason that the one who asked can be told.

    ``code`` is stable and for programs, ``message`` is for people, ``field`` names the part of the
    request that is to blame, as in the API, ``http_status`` says what kind of refusal it is, and
    ``members`` is what programs are told besides.
    """

    code: str = "refused"
    http_status: int = 422

    def __init__(self, message: str, *, field: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.field = field
        self.members: dict[str, Any] = {}
