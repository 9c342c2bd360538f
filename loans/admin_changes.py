"""The pages by which officers propose that a loan is repaid otherwise, or written off."""

from collections.abc import Collection
from typing import Any
from uuid import uuid4

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access_log import note_all_viewed
from accounts.admin.asking import Asking
from accounts.admin.forms import ReasonForm
from accounts.admin.noted import NotedAdmin
from accounts.admin.readonly import ReadOnlyAdmin
from core import clock
from loans.admin_forms import RestructuringForm, new_plan_in
from loans.deciding import REVIEW
from loans.models import Loan, LoanState, Restructuring
from loans.plans import plans_of
from loans.restructuring import days_offered, propose_restructuring
from loans.schedule import percent
from loans.writing_off import propose_write_off


class ChangingLoans(ReadOnlyAdmin, NotedAdmin):
    """A loan's page with what was changed of it, and the buttons of officers while it runs."""

    change_form_template = "admin/loan.html"

    one = "loan"
    many = "list of loans"

    def note_look(self, request: HttpRequest, rows: Collection[Loan], *, what: str) -> None:
        """Note the look for the borrowers."""
        subjects = {row.borrower_id for row in rows}
        note_all_viewed(viewer=int(request.user.pk or 0), subjects=subjects, what=what)

    @admin.display(description=gettext_lazy("restructured"))
    def changes(self, loan: Loan) -> SafeString | str:
        """Show what was agreed of it since, and whether it is done."""
        rows = ((_line(one), one.words) for one in loan.restructurings.all())
        return format_html_join(SafeString("<br>"), "{} {}", rows) or "—"

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, those of the officers' pages first."""
        site = self.admin_site
        pages = (("restructure", self.restructure), ("write-off", self.write_off))
        return [
            *(
                path(
                    f"<int:pk>/{name}/",
                    site.admin_view(page),
                    name=f"loan_{name.replace('-', '_')}",
                )
                for name, page in pages
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
        """Show a loan, with the buttons of officers while it runs."""
        found = self.get_object(request, object_id) if object_id else None
        is_running = found is not None and found.state == LoanState.ACTIVE
        context = {
            **(extra_context or {}),
            "may_change": is_running and request.user.has_perm(REVIEW),
        }
        return super().changeform_view(request, object_id, form_url, context)

    def restructure(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Propose another plan to another admin."""
        loan, maker = self._changed(request, pk), int(request.user.pk or 0)
        plan = plans_of([loan]).get(loan.pk)
        known = {
            "months": len(plan.instalments) if plan else loan.months,
            "rate": percent(plan.rate_ppm if plan else loan.terms.rate_ppm),
        }
        now = clock.now()
        days = days_offered(loan, now=now)
        return Asking(
            title=_("Restructure the loan"),
            button=_("Propose it"),
            form=RestructuringForm(request.POST or None, initial=known, days=days),
            work=lambda asked: propose_restructuring(
                pk,
                new_plan_in(asked),
                maker=maker,
                key=str(uuid4()),
                reason=asked["reason"],
                now=now,
            ),
            done=_("Somebody else must approve it now."),
            back=_page(pk),
        ).answer(request, self)

    def write_off(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Propose to another admin to write a loan off."""
        self._changed(request, pk)
        maker = int(request.user.pk or 0)
        return Asking(
            title=_("Write the loan off"),
            button=_("Propose it"),
            form=ReasonForm(request.POST or None),
            work=lambda asked: propose_write_off(
                pk, maker=maker, key=str(uuid4()), reason=asked["reason"]
            ),
            done=_("Somebody else must approve it now."),
            back=_page(pk),
        ).answer(request, self)

    def _changed(self, request: HttpRequest, pk: int) -> Loan:
        if not request.user.has_perm(REVIEW):
            raise PermissionDenied
        found: Loan | None = self.get_object(request, str(pk))
        if found is None:
            raise Http404
        return found


def _page(pk: int) -> str:
    return reverse("admin:loans_loan_change", args=[pk])


def _line(one: Restructuring) -> str:
    told = {
        "day": date_format(one.since),
        "months": one.months,
        "rate": percent(one.rate_ppm),
        "state": one.get_state_display(),
    }
    return _("From %(day)s: %(months)s months at %(rate)s percent, %(state)s") % told
