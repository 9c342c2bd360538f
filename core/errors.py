"""What every refusal of the bank looks like to those who asked."""

from typing import Any

from django.utils.functional import Promise


class DomainError(Exception):
    """Something could not be done, for a reason that the one who asked can be told.

    ``code`` is stable and for programs, ``message`` is for people and in the language of the
    request's answer (programs are answered in English), ``field`` names the part of the
    request that is to blame, as in the API, ``http_status`` says what kind of refusal it is, and
    ``members`` is what programs are told besides.
    """

    code: str = "refused"
    http_status: int = 422

    def __init__(
        self, message: str | Promise, *, field: str | None = None, code: str | None = None
    ) -> None:
        # Read now: when it is shown or stored, another language may be on.
        self.message = str(message)
        super().__init__(self.message)
        self.code = code or self.code
        self.field = field
        self.members: dict[str, Any] = {}
