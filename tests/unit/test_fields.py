"""The strict fields: what each takes, what it refuses and how, and that it says so."""

from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

import pytest
from rest_framework.exceptions import ValidationError

from core.api.serializers import (
    BooleanField,
    ChoiceField,
    DateField,
    InstantField,
    IntegerField,
    LineField,
    ListField,
    StrictField,
    StrictSerializer,
    TextField,
    UuidField,
)

LINE: Final = LineField(least=2, longest=5)
AN_ID: Final = "0f8fad5b-d9cb-469f-a165-70867728950e"

TAKEN: Final[list[tuple[StrictField, Any, Any]]] = [
    (TextField(), " \u202e", " \u202e"),
    (LINE, " rent ", "rent"),
    (ChoiceField(("on", "off")), "on", "on"),
    (IntegerField(least=0, most=9), 9, 9),
    (BooleanField(), False, False),
    (DateField(), "2028-02-29", date(2028, 2, 29)),
    (InstantField(), "2026-03-02T12:00:00Z", datetime(2026, 3, 2, 12, tzinfo=UTC)),
    (InstantField(), "2026-03-02t17:30:00.5+05:30", datetime(2026, 3, 2, 12, 0, 0, 500_000, UTC)),
    (UuidField(), AN_ID, UUID(AN_ID)),
]
REFUSED: Final[list[tuple[StrictField, Any, str]]] = [
    (TextField(), 1, "not_a_string"),
    (LINE, "r", "text_too_short"),
    (LINE, "  r  ", "text_too_short"),
    (LINE, "too long", "text_too_long"),
    (LINE, "a\0b", "text_has_null"),
    (LINE, "a\u202eb", "text_has_format"),
    (LINE, "a\ud83d", "text_has_surrogate"),
    (LINE, ["rent"], "not_a_string"),
    (ChoiceField(("on", "off")), "On", "not_a_choice"),
    (ChoiceField(("on", "off")), {}, "not_a_string"),
    (IntegerField(least=0, most=9), 10, "out_of_range"),
    (IntegerField(least=0, most=9), -1, "out_of_range"),
    (IntegerField(least=0, most=9), 10**30, "out_of_range"),
    (IntegerField(least=0, most=9), True, "not_an_integer"),
    (IntegerField(least=0, most=9), 1.0, "not_an_integer"),
    (IntegerField(least=0, most=9), "1", "not_an_integer"),
    (BooleanField(), 0, "not_a_boolean"),
    (BooleanField(), "true", "not_a_boolean"),
    (DateField(), "2026-02-29", "not_a_date"),
    (DateField(), "20260302", "not_a_date"),
    (DateField(), "2026-W10-1", "not_a_date"),
    (DateField(), "२०२६-०३-०२", "not_a_date"),
    (DateField(), 20260302, "not_a_date"),
    (DateField(), "0001-01-01", "date_out_of_range"),
    (DateField(), "9999-12-31", "date_out_of_range"),
    (InstantField(), "2026-03-02T12:00:00", "not_an_instant"),
    (InstantField(), "2026-03-02", "not_an_instant"),
    (InstantField(), "2026-03-02T25:00:00Z", "not_an_instant"),
    (InstantField(), "9999-12-31T23:59:59-12:00", "date_out_of_range"),
    (UuidField(), AN_ID.replace("-", ""), "not_a_uuid"),
    (UuidField(), f"{{{AN_ID}}}", "not_a_uuid"),
    (UuidField(), 7, "not_a_uuid"),
]


@pytest.mark.parametrize(("field", "given", "value"), TAKEN)
def test_takes(field: StrictField, given: Any, value: Any) -> None:
    assert field.run_validation(given) == value


@pytest.mark.parametrize(("field", "given", "code"), REFUSED)
def test_refuses_with_a_code(field: StrictField, given: Any, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        field.run_validation(given)
    assert caught.value.get_codes() == [code]


class Steps(StrictSerializer):
    names = ListField(child=LineField(longest=5), most=2)


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ("rent", ["not_a_list"]),
        ({"0": "rent"}, ["not_a_list"]),
        (["a", "b", "c"], ["max_length"]),
        (["a", 1], {1: ["not_a_string"]}),
    ],
)
def test_a_list_says_which_of_its_values_is_wrong(given: Any, codes: Any) -> None:
    steps = Steps(data={"names": given})
    assert not steps.is_valid()
    assert ValidationError(steps.errors).get_codes() == {"names": codes}
