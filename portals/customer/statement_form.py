"""What a statement is asked for: the filters of its address, which are the API's."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from core.amounts import parse_typed_amount
from core.errors import DomainError
from core.text import one_line
from portals.templatetags.bank import kind
from transactions.statements.filters import DIRECTIONS, KINDS, WantedEntries, wanted_of

LONGEST_TEXT: Final = 140
# No bank's books are older, and a day after the last one is still a day.
_FIRST: Final = date(1900, 1, 1)
_LAST: Final = date(2199, 12, 31)
_DIRECTION_NAMES: Final = {"in": _("In"), "out": _("Out")}
_AMOUNTS: Final = ("amount_min", "amount_max")


class DayField(forms.DateField):
    """A day, as browsers send it."""

    def __init__(self, label: Any) -> None:
        super().__init__(
            label=label,
            required=False,
            input_formats=["%Y-%m-%d"],
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            error_messages={"invalid": _("This is no day; write it as 2026-03-02.")},
            validators=[
                MinValueValidator(_FIRST, _("This day is too far away.")),
                MaxValueValidator(_LAST, _("This day is too far away.")),
            ],
        )


class StatementForm(forms.Form):
    """Which entries of a statement to show; what is left empty is left open."""

    date_from = DayField(_("From day"))
    date_to = DayField(_("To day"))
    direction = forms.ChoiceField(label=_("In or out"), required=False)
    kind = forms.ChoiceField(label=_("What for"), required=False)
    amount_min = forms.CharField(label=_("Amount from"), required=False)
    amount_max = forms.CharField(label=_("Amount to"), required=False)
    text = forms.CharField(label=_("Text in the message"), required=False)
    value_date = DayField(_("Happened on"))
    day = DayField(_("Look back from"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = {
            "direction": [("", _("both")), *((one, _DIRECTION_NAMES[one]) for one in DIRECTIONS)],
            "kind": [("", _("everything")), *((one, kind(one)) for one in KINDS)],
        }
        for name, known in choices.items():
            self.fields[name].choices = known  # type: ignore[attr-defined]
        for name in ("text", *_AMOUNTS):
            # Which texts are taken is decided in one place, for pages and API.
            self.fields[name].validators = []
        for name in _AMOUNTS:
            self.fields[name].widget.attrs["inputmode"] = "decimal"

    def clean_text(self) -> str:
        """Read the part of a message that is looked for."""
        try:
            return one_line(self.cleaned_data["text"], longest=LONGEST_TEXT, field="text")
        except DomainError as error:
            raise ValidationError(error.message, code=error.code) from error

    def wanted(self, currency: str) -> WantedEntries:
        """Return what a form without faults asks for.

        Raises:
            InvalidAmount, EmptyRange: with the field to blame.
        """
        asked = {name: value for name, value in self.cleaned_data.items() if value}
        return wanted_of({**asked, **_typed_amounts(asked, currency)}, currency)

    def refuse(self, error: DomainError) -> None:
        """Show why the bank cannot look for this, beside the field at fault.

        Raises:
            DomainError: no field of the form is.
        """
        if error.field not in self.fields:
            raise error
        self.add_error(error.field, ValidationError(error.message, code=error.code))

    @property
    def filters(self) -> dict[str, str]:
        """What is looked for, as it was typed."""
        given = {name: self.data.get(name, "") for name in self.fields if name != "day"}
        return {name: text for name, text in given.items() if text}

    def query(self, **more: str) -> str:
        """Return the address' query for what is looked for, and more."""
        return urlencode({**self.filters, **more})


def _typed_amounts(asked: Mapping[str, Any], currency: str) -> dict[str, str]:
    """Return amounts as people type them in the one writing that is read everywhere.

    Raises:
        InvalidAmount
    """
    amounts = {}
    for name in _AMOUNTS:
        if name in asked:
            try:
                amounts[name] = parse_typed_amount(asked[name], currency).text
            except DomainError as error:
                error.field = name
                raise
    return amounts
