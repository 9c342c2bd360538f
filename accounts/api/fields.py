"""Fields that hold numbers of accounts and people."""

from typing import Any

from accounts.numbers import (
    LENGTH,
    USER_ID_LENGTH,
    parse_account_number,
    parse_user_id,
)
from core.api.serializers import StrictField, TextField
from core.errors import DomainError


class AccountNumberField(TextField):
    """An account number, as a JSON string; with the value of an integer."""

    def __init__(self, **options: Any) -> None:
        super().__init__(pattern=f"^[0-9]{{{LENGTH}}}$", **options)

    def to_internal_value(self, data: Any) -> int:
        """Return the number.

        Raises:
            ValidationError: it is none, by its length or its check digit.
        """
        try:
            return parse_account_number(super().to_internal_value(data))
        except DomainError as error:
            self.refuse(error.code, error.message)

    def to_representation(self, value: int) -> str:
        """Return the number's digits."""
        return str(value)


class UserIdField(TextField):
    """A user ID, as a JSON string; with the value of an integer."""

    def __init__(self, **options: Any) -> None:
        super().__init__(pattern=f"^[0-9]{{{USER_ID_LENGTH}}}$", **options)

    def to_internal_value(self, data: Any) -> int:
        """Return the number.

        Raises:
            ValidationError: it is none, by its length or its check digit.
        """
        try:
            return parse_user_id(super().to_internal_value(data))
        except DomainError as error:
            self.refuse(error.code, error.message)

    def to_representation(self, value: int) -> str:
        """Return the number's digits."""
        return str(value)


class ObjectField(StrictField):
    """A JSON object, of an answer."""

    def json_schema(self) -> dict[str, Any]:
        """Describe the field."""
        return {"type": "object", "additionalProperties": True}
