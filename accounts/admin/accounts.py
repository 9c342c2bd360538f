"""Branches, and the identity of accounts. What an account holds is not edited here."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from accounts.access_log import note_accounts_viewed
from accounts.admin.readonly import ReadOnlyAdmin
from accounts.models import Account, Branch, Holding


@admin.register(Branch)
class BranchAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Branches."""

    list_display = ("code", "number", "name")


class HoldingInline(admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    """Who holds an account; changed where the account lives, not here."""

    model = Holding
    fields = readonly_fields = ("user", "rights")
    can_delete = False
    max_num = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  # Django passes it
        """Show it to those who may see accounts."""
        return request.user.has_perm("accounts.view_account")


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Identities of accounts, to look at; the holders are told who looked."""

    list_display = ("number", "product", "currency", "status", "branch", "opened_at")
    list_filter = ("status", "product", "currency", "branch")
    list_select_related: ClassVar = ("branch",)
    search_fields = ("number", "external_reference")
    inlines: ClassVar = [HoldingInline]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Note the look, then show the account."""
        account = self.get_object(request, object_id) if object_id else None
        if account is not None and self.has_view_permission(request, account):
            _note(request, [account.pk], what="account")
        return super().changeform_view(request, object_id, form_url, extra_context)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a page of accounts, and note the look."""
        answer = super().changelist_view(request, extra_context)
        shown = getattr(answer, "context_data", {}).get("cl")
        if shown is not None:
            _note(request, [one.pk for one in shown.result_list], what="list of accounts")
        return answer


def _note(request: HttpRequest, numbers: Iterable[int], *, what: str) -> None:
    note_accounts_viewed(viewer=int(request.user.pk or 0), numbers=list(numbers), what=what)
