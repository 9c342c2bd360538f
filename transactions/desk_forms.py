"""The form of the account desk: what is to be done about which customer's account, and why."""

from typing import Any, Final
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.callers import Caller
from accounts.models import Approval, User
from accounts.numbers import parse_account_number, parse_user_id
from accounts.selectors import person_numbered
from core.errors import DomainError
from transactions.account_desk import (
    AskedStatus,
    HeldRights,
    ask_status,
    change_rights,
    close_account,
)
from transactions.ledger.accounts import Status

_STATUSES: Final[dict[str, AskedStatus]] = {"freeze": Status.FROZEN, "unfreeze": Status.OPEN}
_RIGHTS: Final[dict[str, HeldRights | None]] = {
    "owner": "owner",
    "authorised": "authorised",
    "none": None,
}
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
            (_CLOSE, _("close it, at balance zero")),
            ("owner", _("make the person an owner")),
            ("authorised", _("authorise the person")),
            ("none", _("take the person's rights away")),
        ],
    )
    user_id = forms.CharField(
        label=_("Person"), required=False, help_text=_("User ID, 11 digits; for rights alone.")
    )
    reason = forms.CharField(label=_("Reason"))

    def clean_account(self) -> int:
        """Read the account's number."""
        try:
            return parse_account_number(self.cleaned_data["account"])
        except DomainError as error:
            raise ValidationError(error.message, code=error.code) from error

    def clean(self) -> dict[str, Any]:
        """Look up the person whose rights are changed."""
        cleaned = super().clean() or {}
        if cleaned.get("what") in _RIGHTS:
            try:
                user_id = parse_user_id(cleaned.get("user_id", ""))
                cleaned["person"] = person_numbered(user_id)
            except DomainError as error:
                self.add_error("user_id", ValidationError(error.message, code=error.code))
        return cleaned

    def refuse(self, error: DomainError) -> None:
        """Show why the bank refused, beside the field at fault."""
        field = error.field if error.field in self.fields else None
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
            close_account(number, admin=admin, key=key, reason=reason)
            return None
        if what in _STATUSES:
            status = _STATUSES[what]
            return ask_status(number, status=status, admin=admin, key=key, reason=reason)
        person: User = asked["person"]
        return change_rights(
            number, person=person, rights=_RIGHTS[what], admin=admin, key=key, reason=reason
        )
