"""Loans: what they would cost, applying for one, how one stands, paying for it."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import clock
from core.errors import DomainError
from core.money import Money, currency_named
from loans.applying import application_of, applications_of, save_draft, submit, withdraw
from loans.finding import LoanNotRunning
from loans.models import LoanTerms
from loans.opening import accept_offer
from loans.paper import schedule_pdf
from loans.products import products_in
from loans.quoting import Quote, quote, quote_by
from loans.repaying import Payoff, RepaymentRequest, payoff_quote, repay_loan
from loans.risk.assessing import score_of
from loans.showing import loan_shown, loans_of, repayments_of
from portals.customer.loan_forms import (
    FIGURES,
    LoanApplicationForm,
    LoanPaymentForm,
    LoanQuoteForm,
)
from portals.customer.page import REFUSED, customer_page, person
from transactions.selectors import accounts_of
from transactions.services import Channel


@require_safe
@customer_page
def loans(request: HttpRequest) -> HttpResponse:
    """Show the person's loans and applications."""
    user = person(request).pk
    context = {
        "loans": loans_of(user, now=clock.now()),
        "applications": applications_of(user),
    }
    return render(request, "customer/loans.html", context)


@require_safe
@customer_page
def quoted(request: HttpRequest) -> HttpResponse:
    """Show what a loan would cost, while it is typed."""
    accounts = accounts_of(person(request).pk)
    typed = request.GET if set(FIGURES) & set(request.GET) else None
    form = LoanQuoteForm(typed, accounts=accounts)
    found = _quoted(form) if typed is not None and form.is_valid() else None
    products = products_in(form.currencies.values(), now=clock.now())
    context = {
        "form": form,
        "quote": found,
        "products": products,
        "accounts": accounts,
        "bounds": json.dumps(_bounds(products, form.currencies)),
    }
    return render(request, "customer/loan_quote.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def enter(request: HttpRequest) -> HttpResponse:
    """Write an application, and keep it as a draft."""
    user = person(request).pk
    accounts = accounts_of(user)
    if request.method != "POST":
        known = {name: request.GET[name] for name in FIGURES if name in request.GET}
        return _entry(request, LoanApplicationForm(initial=known, accounts=accounts))
    form = LoanApplicationForm(request.POST, accounts=accounts)
    if form.is_valid():
        try:
            draft = save_draft(user, form.wish(), now=clock.now())
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect("loan-application", application_id=draft.pk)
    return _entry(request, form, status=REFUSED)


@require_safe
@customer_page
def application(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Show an application: what it would cost, how far it is, and what to do next."""
    return _application(request, application_id)


@require_POST
@customer_page
def send_in(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Send an application in."""
    try:
        submit(person(request).pk, application=application_id, now=clock.now())
    except DomainError as error:
        return _application(request, application_id, error)
    messages.success(request, _("Your application is sent in. We tell you here what we decide."))
    return redirect("loan-application", application_id=application_id)


@require_POST
@customer_page
def give_up(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Withdraw an application or an offer."""
    try:
        withdraw(person(request).pk, application=application_id, now=clock.now())
    except DomainError as error:
        return _application(request, application_id, error)
    messages.info(request, _("The application is withdrawn."))
    return redirect("loans")


@require_POST
@customer_page
def accept(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Accept an offer, and show the loan."""
    try:
        loan = accept_offer(person(request).pk, application=application_id, now=clock.now())
    except DomainError as error:
        return _application(request, application_id, error)
    messages.success(request, _("The loan is paid out to your account."))
    return redirect("loan", loan_number=loan.number)


@require_safe
@customer_page
def loan(request: HttpRequest, loan_number: int) -> HttpResponse:
    """Show a loan: what is owed, its schedule, what was paid, and a form to pay."""
    return _loan(request, loan_number)


@require_safe
@customer_page
def schedule_file(request: HttpRequest, loan_number: int) -> HttpResponse:
    """Answer with the schedule of a loan as a PDF."""
    borrower, now = person(request), clock.now()
    shown = loan_shown(borrower.pk, number=loan_number, now=now)
    made = schedule_pdf(shown, borrower=borrower.full_name, now=now)
    named = {"Content-Disposition": f'attachment; filename="loan-{loan_number}.pdf"'}
    return HttpResponse(made, content_type="application/pdf", headers=named)


@require_POST
@customer_page
def pay(request: HttpRequest, loan_number: int) -> HttpResponse:
    """Pay for a loan: an amount, or by its button all that is owed."""
    user = person(request).pk
    shown = loan_shown(user, number=loan_number, now=clock.now())
    typed = request.POST.copy()
    if "all" in typed:
        typed["amount"] = str(typed["all"])
    form = _payment_form(user, shown.loan.terms.currency, typed)
    if not form.is_valid():
        return _loan(request, loan_number, form, status=REFUSED)
    amount: Money | None = form.cleaned_data["amount"]
    asked = RepaymentRequest(
        user=user,
        loan=loan_number,
        account=form.cleaned_data["account"],
        minor=amount.minor if amount else None,
        currency=shown.loan.terms.currency,
        channel=Channel.WEB,
        key=form.key,
    )
    try:
        repay_loan(asked, now=clock.now())
    except DomainError as error:
        form.refuse(error)
        return _loan(request, loan_number, form, status=error.http_status)
    messages.success(request, _("Your payment is booked."))
    return redirect("loan", loan_number=loan_number)


def _bounds(
    products: Iterable[LoanTerms], currencies: Mapping[int, str]
) -> dict[str, dict[int, dict[str, tuple[int, int]]]]:
    """Return what is lent at least and at most, in whole units, and for how long: for sliders."""
    found: dict[str, dict[int, dict[str, tuple[int, int]]]] = defaultdict(dict)
    for one in products:
        unit = 10 ** currency_named(one.currency).exponent
        bounds = {
            "amount": (-(-one.least_amount // unit), one.most_amount // unit),
            "months": (one.least_months, one.most_months),
        }
        for account, currency in currencies.items():
            if currency == one.currency:
                found[one.product][account] = bounds
    return found


def _quoted(form: LoanQuoteForm) -> Quote | None:
    asked = form.cleaned_data
    try:
        return quote(
            product=asked["product"],
            amount=asked["amount"],
            months=asked["months"],
            now=clock.now(),
        )
    except DomainError as error:
        form.refuse(error)
        return None


def _entry(request: HttpRequest, form: LoanApplicationForm, status: int = 200) -> HttpResponse:
    return render(request, "customer/loan_form.html", {"form": form}, status=status)


def _application(
    request: HttpRequest, application_id: UUID, error: DomainError | None = None
) -> HttpResponse:
    found = application_of(person(request).pk, application=application_id)
    context: dict[str, Any] = {
        "application": found,
        "error": error,
        "score": score_of(found.pk),
    }
    if found.state in {"draft", "submitted", "offered"}:
        context["quote"] = quote_by(found.terms, found.money, months=found.months, now=clock.now())
    status = error.http_status if error else 200
    return render(request, "customer/loan_application.html", context, status=status)


def _loan(
    request: HttpRequest, number: int, form: LoanPaymentForm | None = None, status: int = 200
) -> HttpResponse:
    user, now = person(request).pk, clock.now()
    shown = loan_shown(user, number=number, now=now)
    context = {
        "shown": shown,
        "loan": shown.loan,
        "payoff": _payoff(user, number, now),
        "repayments": repayments_of(shown.loan),
        "form": form or _payment_form(user, shown.loan.terms.currency, None, due=shown.due.text),
    }
    return render(request, "customer/loan.html", context, status=status)


def _payoff(user: int, number: int, now: datetime) -> Payoff | None:
    """Return what it takes to repay a loan today; None: nothing is owed."""
    try:
        return payoff_quote(user, number=number, now=now)
    except LoanNotRunning:
        return None


def _payment_form(
    user: int, currency: str, typed: QueryDict | None, *, due: str = ""
) -> LoanPaymentForm:
    initial = {"amount": due} if due.strip("0.") else {}
    return LoanPaymentForm(typed, initial=initial, accounts=accounts_of(user), currency=currency)
