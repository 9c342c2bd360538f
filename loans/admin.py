"""Lending in the Django admin: products, the review of applications, and loans to look at."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access_log import note_all_viewed
from accounts.admin.asking import Asking
from accounts.admin.forms import ReasonForm
from accounts.admin.noted import NotedAdmin
from accounts.admin.readonly import ReadOnlyAdmin
from accounts.admin.terms import TermsAdmin
from core import clock
from loans.admin_changes import ChangingLoans
from loans.admin_forms import DocumentsForm, LoanTermsForm, ProposalForm, terms_request_in
from loans.deciding import REVIEW, note_documents, propose, refuse_application
from loans.models import ApplicationState, Loan, LoanApplication, LoanTerms
from loans.products import ask_loan_terms
from loans.risk.admin import SCORE_FIELDS, ScoreColumns
from loans.showing import shown

_APPLICATION = "admin:loans_loanapplication_change"


@admin.register(LoanTerms)
class LoanTermsAdmin(TermsAdmin):
    """Terms of loans, which are never changed: new ones follow them."""

    form_of_new = LoanTermsForm
    list_display = ("product", "currency", "effective_from", "method", "yearly", "amounts", "terms")
    list_filter = ("product", "currency")
    list_display_links = ("product", "effective_from")
    fields = (
        "product",
        "currency",
        "effective_from",
        "method",
        "yearly",
        "amounts",
        "terms",
        "holiday_months",
        "opening",
        "each",
        "grace_days",
        "fined",
        "asked_by",
        "approved_by",
    )
    readonly_fields = ("yearly", "amounts", "terms", "opening", "each", "fined")

    @admin.display(description=gettext_lazy("interest a year"), ordering="rate_ppm")
    def yearly(self, terms: LoanTerms) -> str:
        """Show the rate."""
        return f"{terms.rate} %"

    @admin.display(description=gettext_lazy("amount"))
    def amounts(self, terms: LoanTerms) -> str:
        """Show the bounds of the amount."""
        return f"{terms.least} \N{EN DASH} {terms.most}"

    @admin.display(description=gettext_lazy("months"))
    def terms(self, terms: LoanTerms) -> str:
        """Show the bounds of the term."""
        return f"{terms.least_months} \N{EN DASH} {terms.most_months}"

    @admin.display(description=gettext_lazy("opening fee"))
    def opening(self, terms: LoanTerms) -> str:
        """Show the opening fee."""
        return f"{terms.opening_fee} %"

    @admin.display(description=gettext_lazy("fee of an instalment"))
    def each(self, terms: LoanTerms) -> str:
        """Show the fee of an instalment."""
        return str(terms.money(terms.instalment_fee))

    @admin.display(description=gettext_lazy("penalty"))
    def fined(self, terms: LoanTerms) -> str:
        """Show the penalty."""
        return str(terms.fine)

    def ask(self, asked: Mapping[str, Any], *, maker: int, now: datetime) -> object:
        """Ask for new terms of a kind of loan."""
        return ask_loan_terms(terms_request_in(asked), maker=maker, reason=asked["reason"], now=now)


@admin.register(LoanApplication)
class LoanApplicationAdmin(ScoreColumns, ReadOnlyAdmin, NotedAdmin):
    """Applications that were sent in, and the pages by which officers work on them."""

    list_display = ("applicant", "product", "wished", "months", "state", "submitted_at")
    list_filter = ("state", "terms__product")
    list_select_related: ClassVar = ("applicant", "terms")
    search_fields = ("applicant__full_name", "purpose")
    search_help_text = gettext_lazy("Whose, or what for")
    fields = (
        "applicant",
        "product",
        "wished",
        "months",
        "account",
        "purpose",
        "earns",
        "seen",
        "state",
        "submitted_at",
        "offered_until",
        "decided_at",
        "decision_reason",
        *SCORE_FIELDS,
    )
    readonly_fields = fields
    change_form_template = "admin/loan_application.html"

    one = "loan application"
    many = "list of loan applications"

    @admin.display(description=gettext_lazy("product"))
    def product(self, application: LoanApplication) -> str:
        """Show the product."""
        return str(application.terms.get_product_display())

    @admin.display(description=gettext_lazy("amount"), ordering="amount")
    def wished(self, application: LoanApplication) -> str:
        """Show the amount."""
        return str(application.money)

    @admin.display(description=gettext_lazy("income a month"))
    def earns(self, application: LoanApplication) -> str:
        """Show the income."""
        return str(application.income)

    @admin.display(description=gettext_lazy("documents seen"))
    def seen(self, application: LoanApplication) -> str:
        """Show which documents were seen."""
        return ", ".join(name for name, is_seen in application.documents if is_seen) or "—"

    def note_look(
        self, request: HttpRequest, rows: Collection[LoanApplication], *, what: str
    ) -> None:
        """Note the look for the applicants."""
        subjects = {row.applicant_id for row in rows}
        note_all_viewed(viewer=int(request.user.pk or 0), subjects=subjects, what=what)

    def get_queryset(self, request: HttpRequest) -> QuerySet[LoanApplication]:
        """Return what was sent in: drafts are their writers' own."""
        return super().get_queryset(request).exclude(state=ApplicationState.DRAFT)

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, those of the officers' pages first."""
        site = self.admin_site
        pages = (("documents", self.documents), ("propose", self.propose), ("refuse", self.refuse))
        return [
            *(
                path(f"<uuid:pk>/{name}/", site.admin_view(page), name=f"loan_{name}")
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
        """Show an application, with the buttons of officers while it is under review."""
        found = self.get_object(request, object_id) if object_id else None
        is_open = found is not None and found.state == ApplicationState.SUBMITTED
        context = {
            **(extra_context or {}),
            "may_review": is_open and request.user.has_perm(REVIEW),
        }
        return super().changeform_view(request, object_id, form_url, context)

    def documents(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Note which documents were seen."""
        application = self._reviewed(request, pk)
        known = {"seen": application.documents_seen}
        return self._ask(
            request,
            pk,
            title=_("Documents seen"),
            form=DocumentsForm(request.POST or None, initial=known),
            work=lambda asked: note_documents(pk, seen=asked["seen"]),
            done=_("It is noted."),
        )

    def propose(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Propose a loan to another admin."""
        application = self._reviewed(request, pk)
        known = {"amount": application.money.text, "months": application.months}
        currency = application.terms.currency
        return self._ask(
            request,
            pk,
            title=_("Propose the loan"),
            form=ProposalForm(request.POST or None, initial=known, currency=currency),
            work=lambda asked: propose(
                pk,
                amount=asked["amount"],
                months=asked["months"],
                maker=int(request.user.pk or 0),
                reason=asked["reason"],
            ),
            done=_("Somebody else must approve it now."),
        )

    def refuse(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Refuse an application."""
        self._reviewed(request, pk)
        return self._ask(
            request,
            pk,
            title=_("Refuse the application"),
            form=ReasonForm(request.POST or None),
            work=lambda asked: refuse_application(pk, reason=asked["reason"], now=clock.now()),
            done=_("The application is refused; the applicant reads why."),
        )

    def _reviewed(self, request: HttpRequest, pk: UUID) -> LoanApplication:
        if not request.user.has_perm(REVIEW):
            raise PermissionDenied
        found: LoanApplication | None = self.get_object(request, str(pk))
        if found is None:
            raise Http404
        return found

    def _ask(  # a page has these sides
        self,
        request: HttpRequest,
        pk: UUID,
        *,
        title: str,
        form: Any,
        work: Callable[[Mapping[str, Any]], object],
        done: str,
    ) -> HttpResponse:
        back = reverse(_APPLICATION, args=[pk])
        return Asking(title=title, button=title, form=form, work=work, done=done, back=back).answer(
            request, self
        )


@admin.register(Loan)
class LoanAdmin(ChangingLoans):
    """Loans, how each stands, and the pages by which officers change one."""

    list_display = ("number", "borrower", "product", "lent", "state", "start")
    list_filter = ("state", "terms__product")
    list_select_related: ClassVar = ("borrower", "terms")
    search_fields = ("=number", "borrower__full_name")
    search_help_text = gettext_lazy("Number or name")
    fields = (
        "number",
        "borrower",
        "product",
        "lent",
        "months",
        "account",
        "state",
        "start",
        "owed",
        "due",
        "bucket",
        "repaid_at",
        "changes",
    )
    readonly_fields = fields

    @admin.display(description=gettext_lazy("product"))
    def product(self, loan: Loan) -> str:
        """Show the product."""
        return str(loan.terms.get_product_display())

    @admin.display(description=gettext_lazy("lent"), ordering="amount")
    def lent(self, loan: Loan) -> str:
        """Show the amount."""
        return str(loan.money)

    @admin.display(description=gettext_lazy("owed"))
    def owed(self, loan: Loan) -> str:
        """Show all that is owed."""
        return str(shown([loan], now=clock.now())[0].owed)

    @admin.display(description=gettext_lazy("due"))
    def due(self, loan: Loan) -> str:
        """Show what should be paid by now."""
        return str(shown([loan], now=clock.now())[0].due)

    @admin.display(description=gettext_lazy("days late"))
    def bucket(self, loan: Loan) -> str:
        """Show how late it is."""
        standing = shown([loan], now=clock.now())[0].standing
        if standing is None:
            return "—"
        return f"{standing.days_late} ({standing.bucket})"
