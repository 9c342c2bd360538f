"""Forms about people."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Branch, User
from accounts.registering import note_sign_up
from accounts.services import head_office
from core.text import InvalidText, one_line


class SignupForm(forms.Form):
    """What a person tells the bank beside e-mail address and password."""

    full_name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    branch = forms.ModelChoiceField(
        label=_("Your branch"),
        queryset=Branch.objects.all(),
        to_field_name="code",
        required=False,
        empty_label=None,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(Branch.objects.all()[:2]) < 2:  # noqa: PLR2004  # nothing to choose
            del self.fields["branch"]

    def clean_full_name(self) -> str:
        """Refuse names that not everybody could read."""
        try:
            return one_line(self.cleaned_data["full_name"], longest=120, field="full_name")
        except InvalidText as error:
            raise forms.ValidationError(error.message, code=error.code) from error

    def signup(self, request: HttpRequest, user: User) -> None:  # noqa: ARG002  # allauth passes it
        """Note where a new customer gets their first account, once the address is theirs."""
        note_sign_up(user, branch=user.branch or head_office())
