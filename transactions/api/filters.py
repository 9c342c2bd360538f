"""Which entries or transfers of a listing are wanted, as addresses ask for them."""

from core.api.pages import PageFilters
from core.api.serializers import AmountField, ChoiceField, DateField, LineField, StrictSerializer
from transactions.statements.files import FORMATS
from transactions.statements.filters import DIRECTIONS, KINDS


class EntryConditions(StrictSerializer):
    """Which entries or transfers are wanted."""

    date_from = DateField(required=False, help_text="Booked on this day or later.")
    date_to = DateField(required=False, help_text="Booked on this day or earlier.")
    value_date = DateField(required=False, help_text="Happened on this day.")
    amount_min = AmountField(required=False, help_text="At least this amount.")
    amount_max = AmountField(required=False, help_text="At most this amount.")
    kind = ChoiceField(KINDS, required=False)
    text = LineField(least=1, longest=140, required=False, help_text="A part of the memo.")


class EntryFilters(PageFilters, EntryConditions):
    """What statements and lists of transfers can be asked for."""


class DirectedEntries(StrictSerializer):
    """Which way money went, as one account sees it."""

    direction = ChoiceField(DIRECTIONS, required=False, help_text="What came in, or went out.")


class StatementFilters(EntryFilters, DirectedEntries):
    """What the statement of one account can be asked for."""


class StatementFileFilters(EntryConditions, DirectedEntries):
    """What a file of a statement can be asked for."""

    format = ChoiceField(
        tuple(FORMATS), required=False, help_text="CSV if missing; `xml`: CAMT.053, `sta`: MT940."
    )
