"""The OpenAPI: without a warning, with an example for everything, and true to its own examples."""

from io import StringIO

import pytest
from django.core.management import call_command
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.openapi import Operation, document, example_of, operations

EVERY = list(operations())
ROOT = "urn:openapi"


def faults(schema: object, value: object) -> list[str]:
    """Return what a JSON schema of the document finds wrong with a value."""
    resource = Resource.from_contents(document(), default_specification=DRAFT202012)
    registry: Registry[object] = Registry().with_resource(ROOT, resource)
    whole = {"$ref": f"{ROOT}{schema['$ref']}"} if "$ref" in schema else schema  # type: ignore[index, operator]
    checker = Draft202012Validator(
        whole, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(value)]


def test_is_made_without_a_warning() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


def test_is_openapi_3_1_with_names_that_stand_once() -> None:
    assert document()["openapi"].startswith("3.1.")
    names = [one.described["operationId"] for one in EVERY]
    assert len(EVERY) > 5
    assert len(names) == len(set(names))


@pytest.mark.parametrize("operation", EVERY, ids=lambda one: one.name)
def test_every_operation_has_true_examples(operation: Operation) -> None:
    assert operation.described["summary"]
    if operation.body is not None:
        assert operation.body_example is not None, "no example of the body"
        content = operation.described["requestBody"]["content"]["application/json"]
        assert faults(content["schema"], operation.body_example) == []
    assert operation.answers
    for content in operation.answers.values():
        if content:
            assert example_of(content) is not None, "no example of the answer"
            assert faults(content["schema"], example_of(content)) == []
