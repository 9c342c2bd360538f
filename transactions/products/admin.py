"""Products in the Django admin: their terms by date, and asking for new ones."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin.asking import Asking
from accounts.admin.look import BankAdmin
from core import clock
from transactions.products.changing import accounts_affected, ask_terms
from transactions.products.forms import TermsForm, request_in
from transactions.products.models import ProductTerms


@admin.register(ProductTerms)
class ProductTermsAdmin(BankAdmin):
    """Terms, which are never changed: new ones follow them."""

    list_display = ("product", "currency", "effective_from", "rate", "monthly", "affects")
    list_filter = ("product", "currency")
    list_display_links = ("product", "effective_from")
    fields = (
        "product",
        "currency",
        "effective_from",
        "rate",
        "monthly",
        "affects",
        "asked_by",
        "approved_by",
    )
    readonly_fields = ("rate", "monthly", "affects")

    @admin.display(description=gettext_lazy("interest a year"), ordering="rate_ppm")
    def rate(self, terms: ProductTerms) -> str:
        """Show the rate in percent."""
        percent = (Decimal(terms.rate_ppm) / 10_000).normalize()
        return f"{percent:f} %"

    @admin.display(description=gettext_lazy("monthly fee"), ordering="monthly_fee")
    def monthly(self, terms: ProductTerms) -> str:
        """Show the fee."""
        return str(terms.fee) if terms.monthly_fee else _("none")

    @admin.display(description=gettext_lazy("affects"))
    def affects(self, terms: ProductTerms) -> str:
        """Show how many accounts the terms are about."""
        count = accounts_affected(terms.product, terms.currency)
        return ngettext("%d account", "%d accounts", count) % count

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  # Django passes them
        """Change nothing: what was earned by terms stands."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  # Django passes them
        """Delete nothing."""
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Ask for new terms, or show some."""
        if object_id is None:
            return self._ask(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _ask(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return Asking(
            title=_("Ask for new terms"),
            button=_("Ask for it"),
            form=TermsForm(request.POST or None),
            work=lambda asked: ask_terms(
                request_in(asked),
                maker=int(request.user.pk or 0),
                reason=asked["reason"],
                now=clock.now(),
            ),
            done=_("Somebody else must approve it now."),
            back=reverse("admin:transactions_productterms_changelist"),
        ).answer(request, self)
