"""What to look for."""

from datetime import date, datetime, time, timedelta
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.numbers import parse_account_number
from core.errors import DomainError
from portals.templatetags.bank import channel, node, what
from transactions.branches.registry import nodes
from transactions.operations import WHATS, OperationFilter
from transactions.services import Channel

_ALL: Final = ("", _("all"))


class OperationForm(forms.Form):
    """Which operations to show; what is left empty is left open."""

    account = forms.CharField(label=_("Account"), required=False)
    node = forms.ChoiceField(label=_("Branch"), required=False)
    what = forms.ChoiceField(label=_("What"), required=False)
    channel = forms.ChoiceField(label=_("By way of"), required=False)
    first = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    last = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    before = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = {
            "node": [(one, node(one)) for one in nodes()],
            "what": [(str(one), what(one)) for one in WHATS],
            "channel": [(str(one), channel(one)) for one in Channel],
        }
        for name, known in choices.items():
            cast("forms.ChoiceField", self.fields[name]).choices = [_ALL, *known]
        # Which texts are numbers is decided in one place.
        self.fields["account"].validators = []

    def clean_account(self) -> int | None:
        """Read the account's number, if there is one."""
        text = self.cleaned_data["account"]
        try:
            return parse_account_number(text) if text else None
        except DomainError as error:
            raise ValidationError(error.message, code=error.code) from error

    def clean(self) -> dict[str, Any]:
        """Refuse days in the wrong order."""
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and first > last:
            self.add_error("last", _("This day is before the first one."))
        return cleaned

    def wanted(
        self, *, cleared_at: datetime | None, postings_only: bool = False
    ) -> OperationFilter:
        """Return what a form without faults asks for, of what came after ``cleared_at``."""
        asked = self.cleaned_data
        since = _begin(asked["first"])
        return OperationFilter(
            account=asked["account"],
            node=asked["node"] or None,
            what=asked["what"] or None,
            channel=Channel(asked["channel"]) if asked["channel"] else None,
            since=max(filter(None, (since, cleared_at)), default=None),
            until=_begin(asked["last"], days_later=1),
            postings_only=postings_only,
        )


def _begin(day: date | None, *, days_later: int = 0) -> datetime | None:
    """Return the instant at which a day of the bank begins, or one so many days later."""
    if day is None:
        return None
    zone = ZoneInfo(settings.BANK_TIME_ZONE)
    try:
        return datetime.combine(day + timedelta(days=days_later), time(), zone)
    except OverflowError:
        # After the last day there is.
        return None
