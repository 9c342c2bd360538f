"""Fields that hold what branches, accounts and people are known by."""

from typing import Any, Final

from accounts.numbers import (
    LENGTH,
    USER_ID_LENGTH,
    parse_account_number,
    parse_user_id,
)
from core.api.serializers import LineField, StrictField, TextField
from core.errors import DomainError

_LONGEST_BRANCH_CODE: Final = 8


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


class BranchCodeField(LineField):
    """What may be a branch's code, as a JSON string; whether it is one's, who looks it up tells."""

    def __init__(self, **options: Any) -> None:
        super().__init__(longest=_LONGEST_BRANCH_CODE, **options)


class ObjectField(StrictField):
    """A JSON object, of an answer."""

    def json_schema(self) -> dict[str, Any]:
        """Describe the field."""
        return {"type": "object", "additionalProperties": True}
