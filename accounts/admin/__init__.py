"""People, what is asked and known about them, branches and accounts in the Django admin."""

from typing import NoReturn

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _
from django.views.generic import RedirectView, View

from accounts.admin import (
    accounts,
    approvals,
    audit,
    credentials,
    groups,
    jobs,
    messages,
    people,
    viewings,
    webhooks,
)

__all__ = [
    "accounts",
    "approvals",
    "audit",
    "credentials",
    "groups",
    "jobs",
    "messages",
    "people",
    "viewings",
    "webhooks",
]


class _NobodyFound(View):
    def get(self, _request: HttpRequest) -> NoReturn:
        raise Http404


# The admin has no door of its own, neither for logging in nor for changing a password.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.password_change = RedirectView.as_view(pattern_name="account_change_password")  # type: ignore[assignment, method-assign]
# No form of ours completes names; its address would find people, and tell nobody who looked.
admin.site.autocomplete_view = _NobodyFound.as_view()  # type: ignore[assignment, method-assign]
# Nor does any page search them all.
admin.site.search = _NobodyFound.as_view()  # type: ignore[attr-defined]  # Unfold's
admin.site.index_title = _("Overview")
admin.site.site_header = admin.site.site_title = "Bankproject administration"

# Addresses and second factors are people's own, and nobody else sees their secrets.
for model in (EmailAddress, Authenticator):
    if admin.site.is_registered(model):
        admin.site.unregister(model)
