"""Branches, and the identity of accounts. What an account holds is not edited here."""

from collections.abc import Collection
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from accounts.access_log import note_accounts_viewed
from accounts.admin.look import BankAdmin, BankInline
from accounts.admin.noted import NotedAdmin
from accounts.admin.readonly import ReadOnlyAdmin
from accounts.models import Account, Branch, Holding


@admin.register(Branch)
class BranchAdmin(BankAdmin):
    """Branches."""

    list_display = ("code", "number", "name")


class HoldingInline(BankInline):
    """Who holds an account; changed where the account lives, not here."""

    model = Holding
    fields = readonly_fields = ("user", "rights")
    can_delete = False
    max_num = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  # Django passes it
        """Show it to those who may see accounts."""
        return request.user.has_perm("accounts.view_account")


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin, NotedAdmin):
    """Identities of accounts, to look at; the holders are told who looked."""

    list_display = ("number", "product", "currency", "status", "branch", "opened_at")
    list_filter = ("status", "product", "currency", "branch")
    list_select_related: ClassVar = ("branch",)
    search_fields = ("number", "external_reference")
    inlines: ClassVar = [HoldingInline]
    change_form_template = "admin/account.html"

    one = "account"
    many = "list of accounts"

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show an account, with the way to what was done to it."""
        context = {**(extra_context or {}), "number": object_id}
        return super().changeform_view(request, object_id, form_url, context)

    def note_look(self, request: HttpRequest, rows: Collection[Account], *, what: str) -> None:
        """Note the look for all who hold the accounts."""
        numbers = [row.pk for row in rows]
        note_accounts_viewed(viewer=int(request.user.pk or 0), numbers=numbers, what=what)
