"""Strict bodies: nothing is converted, nothing unknown is passed over.

Each field tells its JSON schema, so that the OpenAPI says what is really taken.
"""

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime
from functools import cache, cached_property
from typing import Any, Final, NoReturn
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from core.errors import DomainError
from core.money import CURRENCIES, currency_named
from core.text import one_line

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"([Zz]|[-+][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# No bank's books are older, and arithmetic with days and time zones stays within Python's range.
_YEARS: Final = range(1900, 2200)


class StrictField(serializers.Field[Any, Any, Any, Any]):
    """A field that takes one kind of JSON value, as it is."""

    def to_representation(self, value: Any) -> Any:
        """Return the value."""
        return value

    def json_schema(self) -> dict[str, Any]:
        """Describe what is taken, in JSON Schema."""
        raise NotImplementedError

    @staticmethod
    def refuse(code: str, message: str) -> NoReturn:
        """Refuse the value."""
        raise ValidationError(message, code=code)


class TextField(StrictField):
    """A JSON string that a database can store. What it says is checked by what reads it.

    ``pattern`` only describes what that is.
    """

    def __init__(self, *, pattern: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.pattern = pattern

    def to_internal_value(self, data: Any) -> Any:
        """Return the string.

        Raises:
            ValidationError: it is something else, or holds NUL or half of a surrogate pair.
        """
        if not isinstance(data, str):
            self.refuse("not_a_string", "This must be a JSON string.")
        if "\0" in data:
            self.refuse("text_has_null", "The text holds a NUL character.")
        if _SURROGATE.search(data):
            self.refuse("text_has_surrogate", "The text holds half of a character.")
        return data

    def json_schema(self) -> dict[str, Any]:
        """Describe what is taken."""
        described = {"type": "string"}
        return described if self.pattern is None else {**described, "pattern": self.pattern}


class LineField(TextField):
    """One line of a person's text, without the blanks around it."""

    def __init__(self, *, longest: int, least: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self.longest = longest
        self.least = least

    def to_internal_value(self, data: Any) -> str:
        """Return the line.

        Raises:
            ValidationError: it is no string, too short or long, or hides something.
        """
        text: str = super().to_internal_value(data)
        try:
            line = one_line(text, longest=self.longest, field=self.field_name or "")
        except DomainError as error:
            self.refuse(error.code, error.message)
        if len(line) < self.least:
            self.refuse("text_too_short", f"At least {self.least} characters are needed.")
        return line

    def json_schema(self) -> dict[str, Any]:
        """Describe what is taken."""
        return {"type": "string", "minLength": self.least, "maxLength": self.longest}


class ChoiceField(StrictField):
    """One of a few words."""

    def __init__(self, choices: Collection[str], **options: Any) -> None:
        super().__init__(**options)
        self.choices = tuple(choices)

    def to_internal_value(self, data: Any) -> str:
        """Return the word.

        Raises:
            ValidationError: it is none of them.
        """
        if not isinstance(data, str):
            self.refuse("not_a_string", "This must be a JSON string.")
        if data not in self.choices:
            self.refuse("not_a_choice", f"This is one of {', '.join(self.choices)}.")
        return data

    def json_schema(self) -> dict[str, Any]:
        """Describe what is taken."""
        return {"type": "string", "enum": list(self.choices)}


class IntegerField(StrictField):
    """A whole JSON number between two bounds."""

    def __init__(self, *, least: int, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.least = least
        self.most = most

    def to_internal_value(self, data: Any) -> int:
        """Return the number.

        Raises:
            ValidationError: it is no whole number, or out of bounds.
        """
        if not isinstance(data, int) or isinstance(data, bool):
            self.refuse("not_an_integer", "This must be a whole JSON number.")
        if not self.least <= data <= self.most:
            self.refuse("out_of_range", f"This is between {self.least} and {self.most}.")
        return data

    def json_schema(self) -> dict[str, Any]:
        """Describe what is taken."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


class BooleanField(StrictField):
    """``true`` or ``false``."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the value.

        Raises:
            ValidationError: it is something else.
        """
        if not isinstance(data, bool):
            self.refuse("not_a_boolean", "This must be true or false.")
        return data

    def json_schema(self) -> dict[str, Any]:
        """Describe what is taken."""
        return {"type": "boolean"}


class DateField(StrictField):
    """A day, written ``2026-03-02``."""

    def to_internal_value(self, data: Any) -> date:
        """Return the day.

        Raises:
            ValidationError: it is none.
        """
        if not isinstance(data, str) or not _DATE.fullmatch(data):
            self.refuse("not_a_date", "This must be a day, written 2026-03-02.")
        try:
            day = date.fromisoformat(data)
        except ValueError:
            self.refuse("not_a_date", "There is no such day.")
        if day.year not in _YEARS:
            self.refuse("date_out_of_range", "This day is too far away.")
        return day

    def json_schema(self) -> dict[str, Any]:
        """Describe what is taken."""
        return {"type": "string", "format": "date"}


class InstantField(StrictField):
    """An instant with its zone, written ``2026-03-02T12:00:00Z``."""

    def to_internal_value(self, data: Any) -> datetime:
        """Return the instant.

        Raises:
            ValidationError: it is none, or has no zone.
        """
        if not isinstance(data, str) or not _INSTANT.fullmatch(data):
            self.refuse(
                "not_an_instant", "This must be an instant with its zone: 2026-03-02T12:00:00Z."
            )
        try:
            at = datetime.fromisoformat(data.upper())
        except ValueError:
            self.refuse("not_an_instant", "There is no such instant.")
        if at.year not in _YEARS:
            self.refuse("date_out_of_range", "This instant is too far away.")
        return at

    def json_schema(self) -> dict[str, Any]:
        """Describe what is taken."""
        return {"type": "string", "format": "date-time"}


class UuidField(StrictField):
    """An id of 32 hexadecimal digits in five groups."""

    def to_internal_value(self, data: Any) -> UUID:
        """Return the id.

        Raises:
            ValidationError: it is none.
        """
        if not isinstance(data, str) or not _UUID.fullmatch(data):
            self.refuse("not_a_uuid", "This must be an id such as the bank gives.")
        return UUID(data)

    def json_schema(self) -> dict[str, Any]:
        """Describe what is taken."""
        return {"type": "string", "format": "uuid"}


class AmountField(TextField):
    """An amount in major units, as a decimal string; `core.money.Money` reads it.

    Balances are ``signed``, what is sent is not.
    """

    def __init__(self, *, signed: bool = False, **options: Any) -> None:
        sign = "-?" if signed else ""
        super().__init__(pattern=rf"^{sign}[0-9]{{1,16}}(\.[0-9]{{1,3}})?$", **options)


class CurrencyField(TextField):
    """The ISO 4217 code of a currency that the bank keeps accounts in."""

    def to_internal_value(self, data: Any) -> str:
        """Return the code.

        Raises:
            ValidationError: it is something else.
        """
        text: str = super().to_internal_value(data)
        try:
            return currency_named(text).code
        except DomainError as error:
            self.refuse(error.code, error.message)

    def json_schema(self) -> dict[str, Any]:
        """Describe what is taken."""
        return {"type": "string", "enum": list(CURRENCIES)}


class ListField(serializers.ListField):
    """A JSON array of up to ``most`` values, each as ``child`` takes it."""

    def __init__(self, *, child: StrictField, most: int, least: int = 0, **options: Any) -> None:
        super().__init__(child=child, min_length=least, max_length=most, **options)

    def to_internal_value(self, data: Any) -> list[Any]:
        """Return the values.

        Raises:
            ValidationError: it is no array, too short or long, or one of its values is wrong.
        """
        if not isinstance(data, list):
            message = "This must be a JSON array."
            raise ValidationError(message, code="not_a_list")
        found: list[Any] = super().to_internal_value(data)
        return found


class StrictSerializer(serializers.Serializer[Any]):
    """A body with these fields and no others."""

    @cached_property
    def _fields_by_name(self) -> dict[str, Any]:
        return dict(self.fields)

    @classmethod
    def read(cls, data: Any) -> dict[str, Any]:
        """Return the values of a body's fields.

        Raises:
            ValidationError: for every field at fault.
        """
        reader = _reader(cls)
        values: dict[str, Any] = reader.validate(reader.to_internal_value(data))
        return values

    def to_internal_value(self, data: Any) -> Any:
        """Return the fields' values.

        Raises:
            ValidationError: for every field at fault, the unknown ones included.
        """
        if not isinstance(data, Mapping):
            detail = ErrorDetail("The body must be a JSON object.", code="not_an_object")
            raise ValidationError({"non_field_errors": [detail]})
        fields = self._fields_by_name
        values: dict[str, Any] = {}
        faults: dict[str, Any] = {
            str(name): [ErrorDetail("There is no such field.", code="unknown_field")]
            for name in data
            if name not in fields
        }
        for name, field in fields.items():
            try:
                values[name] = field.run_validation(data.get(name, serializers.empty))
            except serializers.SkipField:
                continue
            except ValidationError as error:
                faults[name] = error.detail
        if faults:
            raise ValidationError(faults)
        return values


@cache
def _reader(kind: type[StrictSerializer]) -> StrictSerializer:
    """Return the one that reads all bodies of a kind: making one copies every field."""
    return kind()
