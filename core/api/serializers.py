"""Strict bodies: nothing is converted, nothing unknown is passed over."""

from collections.abc import Mapping
from typing import Any, cast

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError


class TextField(serializers.Field[str, str, str, Any]):
    """A JSON string, taken as it is."""

    def to_internal_value(self, data: Any) -> str:
        """Return the string.

        Raises:
            ValidationError: it is something else.
        """
        if not isinstance(data, str):
            message = "This must be a JSON string."
            raise ValidationError(message, code="not_a_string")
        return data

    def to_representation(self, value: str) -> str:
        """Return the string."""
        return value


class StrictSerializer(serializers.Serializer[Any]):
    """A body with these fields and no others."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the fields' values.

        Raises:
            ValidationError: for every field at fault, the unknown ones included.
        """
        if not isinstance(data, Mapping):
            detail = ErrorDetail("The body must be a JSON object.", code="not_an_object")
            raise ValidationError({"non_field_errors": [detail]})
        faults: dict[str, Any] = {
            str(name): [ErrorDetail("There is no such field.", code="unknown_field")]
            for name in data
            if name not in self.fields
        }
        try:
            values = super().to_internal_value(cast("dict[str, Any]", data))
        except ValidationError as error:
            faults.update(cast("dict[str, Any]", error.detail))
        if faults:
            raise ValidationError(faults)
        return values
