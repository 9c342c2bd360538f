"""The form of a standing order, and its schedule in words."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.callers import Caller
from portals.customer.forms import DAY_INPUT, PaymentForm
from transactions.payments.schedule import Frequency, Schedule, Weekend
from transactions.payments.standing_orders import StandingOrderRequest

_BAD_DAY: Final = {"invalid": gettext_lazy("Enter the day as 2027-03-31.")}
_SHORTEST_MONTH: Final = 28
_WEEKENDS: Final = {
    Weekend.SAME: gettext_lazy(
        "If a date falls on a weekend or a bank holiday, it is paid on that day all the same."
    ),
    Weekend.BEFORE: gettext_lazy(
        "If a date falls on a weekend or a bank holiday, it is paid on the working day before."
    ),
    Weekend.AFTER: gettext_lazy(
        "If a date falls on a weekend or a bank holiday, it is paid on the working day after."
    ),
}


class StandingOrderForm(PaymentForm):
    """What to pay again and again, and at which dates."""

    frequency = forms.ChoiceField(
        label=gettext_lazy("How often"), choices=Frequency.choices, initial=Frequency.MONTHLY
    )
    first_date = forms.DateField(
        label=gettext_lazy("First date"),
        widget=DAY_INPUT,
        error_messages={**_BAD_DAY, "required": gettext_lazy("Enter the first date.")},
    )
    last_date = forms.DateField(
        label=gettext_lazy("Last date (optional)"),
        required=False,
        help_text=gettext_lazy("Empty: until you cancel it."),
        widget=DAY_INPUT,
        error_messages=_BAD_DAY,
    )
    month_end = forms.BooleanField(
        label=gettext_lazy("Always on the last day of the month"), required=False
    )
    weekend = forms.ChoiceField(
        label=gettext_lazy("If a date falls on a weekend or bank holiday"),
        choices=Weekend.choices,
        initial=Weekend.SAME,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("first_date", "last_date"):
            # An explanation of the dates' errors comes from the service that knows the rules.
            self.fields[name].input_formats = ["%Y-%m-%d"]  # type: ignore[attr-defined]

    def schedule(self) -> Schedule:
        """Return the dates of a form without faults."""
        typed = self.cleaned_data
        return Schedule(
            frequency=Frequency(typed["frequency"]),
            first_date=typed["first_date"],
            last_date=typed["last_date"],
            month_end=typed["month_end"],
            weekend=Weekend(typed["weekend"]),
        )

    def request(self, caller: Caller) -> StandingOrderRequest:
        """Return what was asked for."""
        return StandingOrderRequest(
            caller=caller,
            key=self.key,
            debit=self.cleaned_data["debit_account"],
            credit=self.cleaned_data["credit_account"],
            amount=self.cleaned_data["amount"],
            schedule=self.schedule(),
            memo=self.cleaned_data["memo"] or "",
        )


def rules_in_words(schedule: Schedule) -> list[str]:
    """Say in plain words what a schedule does in short months and at weekends."""
    words = []
    by_month = schedule.frequency not in {Frequency.WEEKLY, Frequency.FORTNIGHTLY}
    if schedule.month_end:
        words.append(_("It is paid on the last day of each month that comes up."))
    elif by_month and schedule.first_date.day > _SHORTEST_MONTH:
        words.append(
            _("In months without a day %(day)s, it is paid on their last day.")
            % {"day": schedule.first_date.day}
        )
    words.append(str(_WEEKENDS[schedule.weekend]))
    words.append(
        _("If the money is not there, we try every hour until that day ends and then leave it out.")
    )
    return words
