"""Forms about people."""

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.text import InvalidText, one_line


class SignupForm(forms.Form):
    """What a person tells the bank beside e-mail address and password."""

    full_name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def clean_full_name(self) -> str:
        """Refuse names that not everybody could read."""
        try:
            return one_line(self.cleaned_data["full_name"], longest=120, field="full_name")
        except InvalidText as error:
            raise forms.ValidationError(error.message, code=error.code) from error

    def signup(self, request: HttpRequest, user: User) -> None:  # noqa: ARG002  # allauth passes it
        """Keep the name of a new customer."""
        user.full_name = self.cleaned_data["full_name"]
        user.save(update_fields=["full_name"])
