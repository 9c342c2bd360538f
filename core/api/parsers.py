"""Reading the body of a request: JSON as RFC 8259 has it, and nothing that means two things."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from core.api.problems import RequestTooLarge


class StrictJSONParser(BaseParser):
    """Refuse bodies that are large or deep, that name a key twice, or hold ``NaN``."""

    media_type = "application/json"
    most_bytes = 64 * 1024

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002  # DRF passes it
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002  # DRF passes it
    ) -> Any:
        """Return the body's value.

        Raises:
            ParseError, RequestTooLarge
        """
        body = stream.read(self.most_bytes + 1)
        if len(body) > self.most_bytes:
            message = f"The body has more than {self.most_bytes // 1024} KiB."
            raise RequestTooLarge(message)
        try:
            return json.loads(
                body.decode("utf-8"),
                object_pairs_hook=_object,
                parse_constant=_refuse_constant,
            )
        except RecursionError as error:
            message = "The JSON is nested too deeply."
            raise ParseError(message, code="json_too_deep") from error
        except ValueError as error:
            message = "The body is not JSON in UTF-8."
            raise ParseError(message, code="invalid_json") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "A key stands twice in one object."
        raise ParseError(message, code="duplicate_key")
    return found


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is not a number in JSON."
    raise ParseError(message, code="invalid_json")
