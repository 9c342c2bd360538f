"""The queue of fraud alerts in the Django admin."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin.asking import Asking
from accounts.admin.callers import caller_in_admin
from accounts.admin.forms import ReasonForm
from accounts.admin.noted import NotedAdmin
from accounts.admin.readonly import ReadOnlyAdmin
from core import clock
from transactions.enquiries.transfers import transfers_among
from transactions.fraud.deciding import DECIDE, DECISIONS, decide
from transactions.fraud.models import UNDECIDED, AlertState, FraudAlert
from transactions.fraud.queue import LOOKED_AT, note_alerts_viewed
from transactions.fraud.wording import explanation


class DecisionForm(ReasonForm):
    """What is thought of an alert."""

    state = forms.ChoiceField(
        label=gettext_lazy("Decision"), choices=[(one.value, one.label) for one in DECISIONS]
    )
    freeze = forms.BooleanField(
        label=gettext_lazy("Ask for the account to be frozen"), required=False
    )

    field_order = ("state", "reason", "freeze")


@admin.register(FraudAlert)
class FraudAlertAdmin(ReadOnlyAdmin, NotedAdmin):
    """Alerts, the latest first. Whom they are about learns that somebody looked, not at what."""

    list_display = ("raised_at", "rule", "subject", "why", "state")
    list_display_links = ("raised_at", "rule")
    list_filter = ("state", "rule", "raised_at")
    list_select_related: ClassVar = ("person", "decided_by")
    search_fields = ("=account", "person__full_name")
    search_help_text = gettext_lazy("An account's number, or a person's name")
    show_full_result_count = False
    fields = (
        *("rule", "why", "subject", "happened_at", "raised_at"),
        *("state", "decided_by", "decided_at", "reason"),
    )
    readonly_fields = fields
    change_form_template = "admin/fraud_alert.html"

    one = many = LOOKED_AT

    @admin.display(description=gettext_lazy("about"))
    def subject(self, alert: FraudAlert) -> str:
        """Show the account, or the person."""
        return str(alert.person if alert.account is None else alert.account)

    @admin.display(description=gettext_lazy("why"))
    def why(self, alert: FraudAlert) -> str:
        """Show what the rule found."""
        return explanation(alert)

    def note_look(self, request: HttpRequest, rows: Collection[FraudAlert], *, what: str) -> None:
        """Note the look for the people, and for all who hold the accounts."""
        note_alerts_viewed(rows, viewer=int(request.user.pk or 0), what=what)

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, that of our own page first."""
        page = self.admin_site.admin_view(self.decide)
        return [path("<uuid:pk>/decide/", page, name="fraud_decide"), *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show an alert with its movements, and the way to decide while nobody has."""
        found = self.get_object(request, object_id) if object_id else None
        is_open = found is not None and found.state in UNDECIDED
        context = {
            **(extra_context or {}),
            "movements": transfers_among(found.transfers) if found is not None else [],
            "may_decide": is_open and request.user.has_perm(DECIDE),
        }
        return super().changeform_view(request, object_id, form_url, context)

    def decide(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Ask what is thought of an alert."""
        if not request.user.has_perm(DECIDE):
            raise PermissionDenied
        alert = self.get_object(request, str(pk))
        if alert is None:
            raise Http404
        form = DecisionForm(request.POST or None)
        if alert.account is None:
            del form.fields["freeze"]
        return Asking(
            title=_("Decide: %(rule)s") % {"rule": alert},
            button=_("Decide"),
            form=form,
            work=lambda asked: _decide(pk, asked, request),
            done=_("It is decided."),
            back=reverse("admin:transactions_fraudalert_change", args=[pk]),
        ).answer(request, self)


def _decide(pk: UUID, asked: Mapping[str, Any], request: HttpRequest) -> FraudAlert:
    return decide(
        pk,
        state=AlertState(asked["state"]),
        reason=asked["reason"],
        freeze=bool(asked.get("freeze")),
        admin=caller_in_admin(request),
        now=clock.now(),
    )
