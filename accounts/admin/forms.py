"""What admins are asked about people."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Branch, UserStatus
from accounts.reasons import LONGEST_REASON
from accounts.registering import LONGEST_NAME
from accounts.roles import ROLES


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON)


class StatusForm(ReasonForm):
    """How a person is to stand with the bank."""

    status = forms.ChoiceField(label=_("Status"), choices=UserStatus.choices)

    field_order = ("status", "reason")


class RoleForm(ReasonForm):
    """What a person is to be to the bank."""

    role = forms.ChoiceField(label=_("Role"), choices=[(role, _(role)) for role in ROLES])

    field_order = ("role", "reason")


class CodeForm(forms.Form):
    """The code of a challenge."""

    challenge = forms.CharField(widget=forms.HiddenInput, required=False)
    code = forms.CharField(
        label=_("Code"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class RegistrationForm(forms.Form):
    """A customer to be registered."""

    full_name = forms.CharField(label=_("Name"), max_length=LONGEST_NAME)
    email = forms.CharField(label=_("E-mail address"))
    branch = forms.ModelChoiceField(
        label=_("Branch"), queryset=Branch.objects.all(), to_field_name="code", empty_label=None
    )
