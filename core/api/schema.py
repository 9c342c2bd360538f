"""The OpenAPI of the API: what a view declares about itself, and what holds for all of them.

A method of a view is decorated with `operation`; its docstring is the text. Who may use it, its
filters, and the refusals that any request can meet are added from the view itself.
"""

import re
from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import Any, Final, TypeVar, cast

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiRequest,
    OpenApiResponse,
    extend_schema,
)
from rest_framework.serializers import Serializer

from core.api import keys
from core.api.access import ANYONE, Access
from core.api.openapi import KEYED_HEADERS, USUAL_HEADERS, refusals
from core.api.step_up import CHALLENGE, CODE
from core.api.views import BankView

_IDEMPOTENCY_KEY: Final = OpenApiParameter(
    keys.HEADER,
    type={"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    location=OpenApiParameter.HEADER,
    required=True,
    description="The same one when you repeat the same request; a UUID serves.",
    examples=[OpenApiExample("Key", value="7d1f0f7e-8a5e-4a6e-9f3b-2f6f3a1c9b10")],
)
_STEP_UP: Final = (
    OpenApiParameter(
        CHALLENGE,
        type=str,
        location=OpenApiParameter.HEADER,
        description="`challenge` of the refusal `step_up_required`.",
    ),
    OpenApiParameter(
        CODE,
        type=str,
        location=OpenApiParameter.HEADER,
        description="The one-time code that answers the challenge.",
    ),
)

_Method = TypeVar("_Method", bound=Callable[..., Any])


def operation(  # noqa: PLR0913  # an operation has these sides
    *,
    answer: type[Serializer[Any]] | None,
    example: Any = None,
    status: int = HTTPStatus.OK,
    repeated: int | None = None,
    body: type[Serializer[Any]] | None = None,
    body_example: Any = None,
    keyed: bool = False,
    step_up: bool = False,
    deprecated: bool = False,
    files: Collection[str] = (),
) -> Callable[[_Method], _Method]:
    """Describe a method of a view: what it takes, what it answers, and an example of each.

    ``keyed`` is for those that need an idempotency key, ``step_up`` for those that may ask for a
    one-time code. ``answer`` is None where the answer has no body; ``repeated`` is the status where
    the same was asked before, if that is another. ``files`` are the types of those it answers with.
    """
    answers: dict[Any, Any] = {
        int(one): OpenApiResponse(
            answer, description=HTTPStatus(one).phrase, examples=_example(example)
        )
        for one in (status, repeated)
        if one is not None
    }
    if files:
        answers = {(int(status), one): OpenApiTypes.BINARY for one in files}
    return extend_schema(
        request=body and OpenApiRequest(body, examples=_example(body_example)),
        responses=answers,
        parameters=[*([_IDEMPOTENCY_KEY] if keyed else []), *(_STEP_UP if step_up else ())],
        deprecated=deprecated,
    )


class BankSchema(AutoSchema):
    """Describes a `core.api.views.BankView`."""

    def get_operation_id(self) -> str:
        """Name the operation by its method and address, as ``post_transfers``."""
        words = re.findall(r"[a-z0-9]+", re.sub(self.path_prefix, "", self.path.lower()))
        return "_".join([self.method.lower(), *words])

    def get_summary(self) -> str:
        """Return the first line of the method's docstring."""
        return super().get_description().partition("\n")[0].removesuffix(".")

    def get_description(self) -> str:  # type: ignore[override]  # as spectacular calls it
        """Return what the method's docstring says after its first line."""
        rest = super().get_description().partition("\n")[2]
        return rest.partition("Raises:")[0].strip()

    def get_override_parameters(self) -> list[Any]:
        """Return the view's filters, where it is read."""
        filters = getattr(self.view, "filters", None)
        return [filters] if filters is not None and self.method == "GET" else []

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Say which credentials are let in, and which scope a key needs."""
        access = _access(self)
        if ANYONE in access.roles:
            return [{}]
        by_key = [{"key": [access.scope]}] if access.scope else []
        return [{"token": []}, {"session": []}, *by_key]

    def get_extensions(self) -> dict[str, list[str]]:
        """Name the roles that are let in."""
        return {"x-roles": sorted(_access(self).roles)}

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        answers: dict[str, Any] = super()._get_response_bodies(direction)
        keyed = any(one["name"] == keys.HEADER for one in self._get_parameters())
        for answer in answers.values():
            answer["headers"] = KEYED_HEADERS if keyed else USUAL_HEADERS
        return {**answers, **refusals(has_body=self.method in {"POST", "PUT", "PATCH"})}


class _FieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # spectacular
    """Lets our fields describe themselves."""

    target_class = "core.api.serializers.StrictField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:  # noqa: ARG002  # spectacular passes them
        """Return what the field says."""
        described: dict[str, Any] = self.target.json_schema()
        return described


class _ClosedSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # spectacular
    """Says of strict bodies that they have no other members."""

    target_class = "core.api.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the usual schema, closed."""
        usual = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # noqa: SLF001  # spectacular's way
        return {**usual, "additionalProperties": False}


def _access(described: BankSchema) -> Access:
    view = cast("BankView", described.view)
    return view.access[described.method]


def _example(value: Any) -> list[OpenApiExample]:
    return [] if value is None else [OpenApiExample("Example", value=value)]
