"""The form of the account desk: what is to be done about which customer's account, and why."""

from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.callers import Caller
from accounts.models import Approval, User
from accounts.numbers import parse_account_number, parse_user_id
from accounts.selectors import person_numbered
from core import clock
from core.amounts import parse_typed_amount
from core.errors import DomainError
from transactions.account_desk import (
    AskedStatus,
    HeldRights,
    account_governed,
    ask_overdraft,
    ask_status,
    change_account_limits,
    change_rights,
    close_account,
)
from transactions.ledger.accounts import Limit, Status
from transactions.limits.changing import LimitsRequest

_STATUSES: Final[dict[str, AskedStatus]] = {"freeze": Status.FROZEN, "unfreeze": Status.OPEN}
_RIGHTS: Final[dict[str, HeldRights | None]] = {
    "owner": "owner",
    "authorised": "authorised",
    "none": None,
}
_LIMITS: Final = {str(limit): limit for limit in Limit}
_CLOSE: Final = "close"


class DeskForm(forms.Form):
    """A change of an account. The token lets each be asked for once."""

    token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    account = forms.CharField(label=_("Account"), help_text=_("12 digits."))
    what = forms.ChoiceField(
        label=_("What"),
        choices=[
            ("freeze", _("freeze it")),
            ("unfreeze", _("open it again")),
            (_CLOSE, _("close it, at balance zero, and pay out its interest")),
            ("owner", _("make the person an owner")),
            ("authorised", _("authorise the person")),
            ("none", _("take the person's rights away")),
            (Limit.DAILY, _("bound what it spends in a day")),
            (Limit.TRANSFER, _("bound what one transfer takes")),
            (Limit.OVERDRAFT, _("let it owe so much")),
        ],
    )
    user_id = forms.CharField(
        label=_("Person"), required=False, help_text=_("User ID, 11 digits; for rights alone.")
    )
    limit = forms.CharField(
        label=_("Limit"),
        required=False,
        help_text=_("In the account's currency; for limits alone. Nothing: no bound."),
    )
    payout_account = forms.CharField(
        label=_("Interest goes to"),
        required=False,
        help_text=_("Another account of an owner, 12 digits; for closing alone."),
    )
    reason = forms.CharField(label=_("Reason"))

    def clean_account(self) -> int:
        """Read the account's number."""
        return _number(self.cleaned_data["account"])

    def clean_payout_account(self) -> int | None:
        """Read the number of the account to pay interest out to, if there is one."""
        typed = self.cleaned_data["payout_account"]
        return _number(typed) if typed else None

    def clean(self) -> dict[str, Any]:
        """Look up the person whose rights are changed, and read the limit that is set."""
        cleaned = super().clean() or {}
        what = cleaned.get("what")
        if what in _RIGHTS:
            self._read("user_id", self._read_person)
        elif what in _LIMITS and "account" in cleaned:
            self._read("limit", self._read_limit)
        return cleaned

    def _read(self, field: str, read: Callable[[str], None]) -> None:
        try:
            read(self.cleaned_data.get(field, ""))
        except DomainError as error:
            self._show(error, field)

    def _read_person(self, typed: str) -> None:
        self.cleaned_data["person"] = person_numbered(parse_user_id(typed))

    def _read_limit(self, typed: str) -> None:
        """Read a limit. What an account may owe always has a bound."""
        currency = account_governed(self.cleaned_data["account"]).currency
        is_lifted = not typed and self.cleaned_data["what"] != Limit.OVERDRAFT
        self.cleaned_data["currency"] = currency
        self.cleaned_data["minor"] = (
            None if is_lifted else parse_typed_amount(typed, currency).minor
        )

    def refuse(self, error: DomainError) -> None:
        """Show why the bank refused, beside the field at fault."""
        self._show(error, None)

    def _show(self, error: DomainError, otherwise: str | None) -> None:
        field = error.field if error.field in self.fields else otherwise
        self.add_error(field, ValidationError(error.message, code=error.code))

    def carry_out(self, *, admin: Caller) -> Approval | None:
        """Do what a form without faults asks for; what waits for a second admin is answered with.

        Raises:
            DomainError
        """
        asked = self.cleaned_data
        number, what, reason = asked["account"], asked["what"], asked["reason"]
        key = f"form:{asked['token']}"
        if what == _CLOSE:
            close_account(
                number,
                admin=admin,
                key=key,
                reason=reason,
                now=clock.now(),
                payout=asked["payout_account"],
            )
            return None
        if what in _STATUSES:
            status = _STATUSES[what]
            return ask_status(number, status=status, admin=admin, key=key, reason=reason)
        if what in _LIMITS:
            return self._set_limit(_LIMITS[what], admin=admin, key=key)
        person: User = asked["person"]
        return change_rights(
            number, person=person, rights=_RIGHTS[what], admin=admin, key=key, reason=reason
        )

    def _set_limit(self, limit: Limit, *, admin: Caller, key: str) -> Approval | None:
        asked = self.cleaned_data
        request = LimitsRequest(
            user=admin.pk,
            account=asked["account"],
            currency=asked["currency"],
            wanted={limit: asked["minor"]},
        )
        change = ask_overdraft if limit == Limit.OVERDRAFT else change_account_limits
        return change(request, admin=admin, key=key, reason=asked["reason"], now=clock.now())


def _number(typed: str) -> int:
    try:
        return parse_account_number(typed)
    except DomainError as error:
        raise ValidationError(error.message, code=error.code) from error
