"""People, branches and accounts in the Django admin. What an account holds is not edited here."""

from typing import Any, ClassVar

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.http import HttpRequest

from accounts.callers import forget_standing
from accounts.models import Account, Branch, User

# The admin has no door of its own.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = "Bankproject administration"


@admin.register(User)
class UserAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """People; passwords are theirs alone."""

    list_display = ("full_name", "email", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("full_name", "email", "phone")
    ordering = ("full_name",)
    exclude = ("password",)
    filter_horizontal = ("groups", "user_permissions")
    readonly_fields = ("last_login", "date_joined", "external_reference")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001  # as Django calls it
        """Save a person, and let no session go on by what they were before."""
        super().save_model(request, obj, form, change)
        forget_standing(obj.pk)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:  # noqa: ARG002  # Django passes them
        """Keep people: journals name them."""
        return False


@admin.register(Branch)
class BranchAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Branches."""

    list_display = ("code", "number", "name")


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Identities of accounts, to look at."""

    list_display = ("number", "product", "currency", "branch", "opened_at")
    list_filter = ("product", "currency", "branch")
    list_select_related: ClassVar = ("branch",)
    search_fields = ("number", "external_reference")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  # Django passes it
        """Open accounts at the counter, not here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:  # noqa: ARG002  # Django passes them
        """Change nothing: a number never changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:  # noqa: ARG002  # Django passes them
        """Delete nothing: journals name them."""
        return False
