"""Disputes in the Django admin: taking them, and answering them."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin.asking import Asking
from accounts.admin.callers import caller_in_admin
from accounts.admin.noted import NotedAdmin
from accounts.admin.readonly import ReadOnlyAdmin
from accounts.reasons import LONGEST_REASON
from core import clock
from transactions.disputes.answering import ANSWER, answer_dispute, take_dispute
from transactions.disputes.models import ANSWERS, Dispute, DisputeState
from transactions.disputes.selectors import note_disputes_viewed, reversals_of
from transactions.enquiries.transfers import transfers_among


class AnswerForm(forms.Form):
    """What the bank makes of a case."""

    state = forms.ChoiceField(
        label=gettext_lazy("Decision"), choices=[(one.value, one.label) for one in ANSWERS]
    )
    reason = forms.CharField(
        label=gettext_lazy("Answer"),
        max_length=LONGEST_REASON,
        help_text=gettext_lazy("The customer reads this, with your name."),
    )
    reverse = forms.BooleanField(
        label=gettext_lazy("Ask for the movement to be reversed"),
        required=False,
        help_text=gettext_lazy("Another admin approves that. Only what is accepted is reversed."),
    )


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin, NotedAdmin):
    """Cases, the latest first. Whose they are learns that somebody looked."""

    list_display = ("number", "opened_at", "person", "account", "why", "state", "taken_by")
    list_display_links = ("number", "opened_at")
    list_filter = ("state", "why", "opened_at")
    list_select_related: ClassVar = ("person", "taken_by", "answered_by")
    search_fields = ("=id", "=account", "person__full_name")
    search_help_text = gettext_lazy("A case's number, an account's number, or a person's name")
    show_full_result_count = False
    fields = (
        *("number", "person", "account", "transfer_id", "why", "words", "opened_at"),
        *("state", "taken_by", "answered_by", "answered_at", "answer"),
    )
    readonly_fields = fields
    change_form_template = "admin/dispute.html"

    one = many = "disputes"

    @admin.display(description=gettext_lazy("case"), ordering="pk")
    def number(self, dispute: Dispute) -> str:
        """Show the case's number."""
        return str(dispute.pk)

    def note_look(self, request: HttpRequest, rows: Collection[Dispute], *, what: str) -> None:  # noqa: ARG002  # always the same
        """Note the look for the people, and for all who hold the accounts."""
        note_disputes_viewed(rows, viewer=int(request.user.pk or 0))

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, those of our own pages first."""
        return [
            path("<int:pk>/take/", self.admin_site.admin_view(self.take), name="dispute_take"),
            path(
                "<int:pk>/answer/", self.admin_site.admin_view(self.answer), name="dispute_answer"
            ),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a case with its movement, and the ways to work on it while it has no answer."""
        found = self.get_object(request, object_id) if object_id else None
        is_open = found is not None and not found.is_answered
        context = {
            **(extra_context or {}),
            "movements": [] if found is None else transfers_among([found.transfer_id]),
            "reversals": [] if found is None else reversals_of(found),
            "may_answer": is_open and request.user.has_perm(ANSWER),
        }
        return super().changeform_view(request, object_id, form_url, context)

    def take(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask whether somebody takes a case into their hands."""
        self._check(request, pk)
        return Asking(
            title=_("Take case %(number)s") % {"number": pk},
            button=_("Take it"),
            form=forms.Form(request.POST or None),
            work=lambda _asked: take_dispute(pk, admin=caller_in_admin(request)),
            done=_("It is in your hands."),
            back=_address(pk),
        ).answer(request, self)

    def answer(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask what is answered to a case."""
        self._check(request, pk)
        return Asking(
            title=_("Answer case %(number)s") % {"number": pk},
            button=_("Answer"),
            form=AnswerForm(request.POST or None),
            work=lambda asked: _answer(pk, asked, request),
            done=_("It is answered."),
            back=_address(pk),
        ).answer(request, self)

    def _check(self, request: HttpRequest, pk: int) -> None:
        """Check that somebody may work on a case, and that there is one.

        Raises:
            PermissionDenied, Http404
        """
        if not request.user.has_perm(ANSWER):
            raise PermissionDenied
        if self.get_object(request, str(pk)) is None:
            raise Http404


def _address(pk: int) -> str:
    return reverse("admin:transactions_dispute_change", args=[pk])


def _answer(pk: int, asked: Mapping[str, Any], request: HttpRequest) -> Dispute:
    return answer_dispute(
        pk,
        state=DisputeState(asked["state"]),
        answer=asked["reason"],
        reverse=bool(asked["reverse"]),
        admin=caller_in_admin(request),
        now=clock.now(),
    )
