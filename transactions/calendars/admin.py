"""The calendar in the Django admin: holidays are added and withdrawn, never changed."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin.asking import Asking
from accounts.admin.look import BankAdmin
from accounts.models import Branch
from core import clock
from transactions.calendars.changing import add_holiday, withdraw_holiday
from transactions.calendars.models import Holiday


class HolidayForm(forms.Form):
    """A day on which the bank or a branch is not to work."""

    day = forms.DateField(
        label=gettext_lazy("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    branch = forms.ModelChoiceField(
        label=gettext_lazy("Branch"),
        queryset=Branch.objects.all(),
        to_field_name="code",
        required=False,
        empty_label=gettext_lazy("the whole bank"),
    )


@admin.register(Holiday)
class HolidayAdmin(BankAdmin):
    """Holidays, those that were withdrawn included."""

    list_display = ("day", "name", "branch", "added_at", "withdrawn_at")
    list_filter = ("branch", "withdrawn_at")
    list_select_related: ClassVar = ("branch",)
    date_hierarchy = "day"
    fields = ("day", "name", "branch", "added_by", "added_at", "withdrawn_by", "withdrawn_at")
    change_form_template = "admin/holiday.html"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  # Django passes them
        """Change nothing: what was a holiday can be told for every day."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  # Django passes them
        """Delete nothing."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, that of our own page first."""
        withdraw = self.admin_site.admin_view(self.withdraw)
        return [
            path("<int:pk>/withdraw/", withdraw, name="holiday_withdraw"),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Add a holiday, or show one."""
        if object_id is None:
            return self._add(request)
        found = self.get_object(request, object_id)
        may = found is not None and found.withdrawn_at is None and self.has_add_permission(request)
        context = {**(extra_context or {}), "may_withdraw": may}
        return super().changeform_view(request, object_id, form_url, context)

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask whether a holiday is to be withdrawn, and do it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        holiday = self.get_object(request, str(pk))
        if holiday is None:
            raise Http404
        return Asking(
            title=_("Withdraw %(holiday)s") % {"holiday": holiday},
            button=_("Withdraw"),
            form=forms.Form({} if request.method == "POST" else None),
            work=lambda _asked: withdraw_holiday(holiday, admin=_me(request), now=clock.now()),
            done=_("The day is a working day again."),
            back=reverse("admin:transactions_holiday_changelist"),
        ).answer(request, self)

    def _add(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return Asking(
            title=_("Add a holiday"),
            button=_("Add"),
            form=HolidayForm(request.POST or None),
            work=lambda asked: add_holiday(
                asked["day"],
                branch=asked["branch"],
                name=asked["name"],
                admin=_me(request),
                now=clock.now(),
            ),
            done=_("The bank will not work on that day."),
            back=reverse("admin:transactions_holiday_changelist"),
        ).answer(request, self)


def _me(request: HttpRequest) -> int:
    return int(request.user.pk or 0)
