"""The file of a customer, tab by tab."""

from typing import Any, Final
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access_log import note_viewed
from accounts.approvals import approvals_about
from accounts.cards.selectors import cards_of
from accounts.logins import log_ins_of
from accounts.models import User
from accounts.open_sessions import sessions_of
from accounts.reveals import PersonalData, RevealReason, reveal
from accounts.selectors import credential_changes_of, status_changes
from core import clock
from core.clock import bank_day
from core.db.keyset import position
from core.errors import DomainError
from loans.risk.overview import applications_with_scores
from loans.showing import loans_of
from notifications.messages.log import messages_to
from portals.customer.page import REFUSED, person
from portals.employee.page import staff_page
from portals.employee.paging import address_of, newest_address, place_asked
from portals.employee.revealed import remember_revealed, revealed_of
from transactions.branches.asking import ask_head_office, ask_head_office_itself
from transactions.disputes.selectors import disputes_of, with_movements
from transactions.enquiries.customers import (
    customer_numbered,
    limits_of_accounts,
    people_of_accounts,
)
from transactions.enquiries.timeline import EventKind, timeline_of
from transactions.selectors import accounts_of, transfers_of

PAGE: Final = 25
_CHANGES: Final = 50
_LONGEST_WORDS: Final = 140


class RevealForm(forms.Form):
    """What to see of a customer's personal data, and why."""

    what = forms.MultipleChoiceField(
        label=_("What you need to see"),
        choices=PersonalData.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    reason = forms.ChoiceField(label=_("Why"), choices=RevealReason.choices)
    words = forms.CharField(
        label=_("In your words"),
        max_length=_LONGEST_WORDS,
        help_text=_("The customer reads this, with your name."),
    )


@require_safe
@staff_page
def overview(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show who a customer is and what they have; personal data are hidden until somebody asks."""
    customer = _looked_at(request, user_id)
    return _overview(request, customer, RevealForm())


@require_POST
@staff_page
def reveal_data(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show a customer's personal data for a quarter of an hour, to whoever says why."""
    customer = customer_numbered(user_id)
    form = RevealForm(request.POST)
    if form.is_valid() and _is_revealed(request, customer, form):
        return redirect("staff-customer", user_id=user_id)
    note_viewed(viewer=person(request).pk, subject=customer.pk, what="customer file")
    return _overview(request, customer, form)


@require_safe
@staff_page
def accounts_held(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show a customer's accounts with their balances, and the cards that pay from them."""
    customer = _looked_at(request, user_id)
    pk, today = customer.pk, bank_day(clock.now())
    cards = ask_head_office(lambda source: cards_of(pk, using=source))
    return _tab(
        request,
        customer,
        "accounts",
        accounts=accounts_of(pk),
        cards=[(card, card.state_on(today)) for card in cards or []],
    )


@require_safe
@staff_page
def movements(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show what moved on all of a customer's accounts, newest first."""
    customer = _looked_at(request, user_id)
    listing = f"movements of {customer.pk}"
    after = place_asked(request, listing=listing)
    before = None if after is None else UUID(after[0])
    found = transfers_of(customer.pk, before=before, limit=PAGE + 1)
    shown = found[:PAGE]
    last = [shown[-1].transfer_id.hex] if len(found) > PAGE else None
    return _tab(
        request,
        customer,
        "movements",
        movements=shown,
        mine={account.number for account in accounts_of(customer.pk)},
        newest=newest_address(request),
        older=address_of(request, after=last, listing=listing),
    )


@require_safe
@staff_page
def loans(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show a customer's loans with what is owed, and what was applied for."""
    customer = _looked_at(request, user_id)
    pk, now = customer.pk, clock.now()
    return _tab(
        request,
        customer,
        "loans",
        loans=ask_head_office_itself(lambda _node: loans_of(pk, now=now)),
        applications=ask_head_office_itself(lambda _node: applications_with_scores(pk)),
    )


@require_safe
@staff_page
def people(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show who holds a customer's accounts, with which rights."""
    customer = _looked_at(request, user_id)
    return _tab(request, customer, "people", held=people_of_accounts(customer.pk))


@require_safe
@staff_page
def security(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show a customer's log-ins, sessions, and changes of credentials; no secrets."""
    customer = _looked_at(request, user_id)
    listing = f"log-ins of {customer.pk}"
    after = place_asked(request, listing=listing)
    before = None if after is None else int(after[0])
    pk, now = customer.pk, clock.now()
    found = ask_head_office(
        lambda source: log_ins_of(pk, before=before, most=PAGE + 1, using=source)
    )
    shown = list(found or [])[:PAGE]
    last = [shown[-1].pk] if len(found or []) > PAGE else None
    return _tab(
        request,
        customer,
        "security",
        log_ins=shown,
        sessions=ask_head_office(lambda source: sessions_of(pk, now=now, using=source)),
        changes=ask_head_office(
            lambda source: credential_changes_of(pk, limit=_CHANGES, using=source)
        ),
        newest=newest_address(request),
        older=address_of(request, after=last, listing=listing),
    )


@require_safe
@staff_page
def messages(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show which messages went to a customer and what came of each; not what they say."""
    customer = _looked_at(request, user_id)
    listing = f"messages of {customer.pk}"
    after = place_asked(request, listing=listing)
    found = ask_head_office(
        lambda source: messages_to(customer.pk, after=after, most=PAGE + 1, using=source)
    )
    shown = list(found or [])[:PAGE]
    last = position(shown[-1], by="created_at") if len(found or []) > PAGE else None
    return _tab(
        request,
        customer,
        "messages",
        messages_sent=shown,
        newest=newest_address(request),
        older=address_of(request, after=last, listing=listing),
    )


@require_safe
@staff_page
def limits(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show what bounds a customer's accounts, and what was asked for about them."""
    customer = _looked_at(request, user_id)
    accounts = accounts_of(customer.pk)
    numbers = [account.number for account in accounts]
    asked = ask_head_office(
        lambda source: list(approvals_about(customer.pk, numbers, using=source)[:_CHANGES])
    )
    return _tab(
        request,
        customer,
        "limits",
        limits=limits_of_accounts(accounts, day=bank_day(clock.now())),
        approvals=asked,
    )


@require_safe
@staff_page
def disputes(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show the movements of a customer's accounts that were disputed; admins work on them."""
    customer = _looked_at(request, user_id)
    listing = f"disputes of {customer.pk}"
    after = place_asked(request, listing=listing)
    found = ask_head_office_itself(
        lambda source: disputes_of(customer.pk, after=after, limit=PAGE + 1, using=source)
    )
    shown = (found or [])[:PAGE]
    last = position(shown[-1], by="opened_at") if len(found or []) > PAGE else None
    return _tab(
        request,
        customer,
        "disputes",
        disputes=with_movements(shown),
        newest=newest_address(request),
        older=address_of(request, after=last, listing=listing),
    )


@require_safe
@staff_page
def timeline(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show all that happened to a customer in one order, newest first; or one kind of it."""
    customer = _looked_at(request, user_id)
    listing = f"timeline of {customer.pk}"
    after = place_asked(request, listing=listing)
    kind = request.GET.get("kind", "")
    page = timeline_of(
        customer.pk,
        kind=EventKind(kind) if kind in set(EventKind) else None,
        before=None if after is None else UUID(after[0]),
        limit=PAGE,
    )
    return _tab(
        request,
        customer,
        "timeline",
        page=page,
        kinds=list(EventKind),
        kind=kind,
        newest=newest_address(request),
        older=address_of(request, after=[page.older.hex] if page.older else None, listing=listing),
    )


def _looked_at(request: HttpRequest, user_id: int) -> User:
    """Return a customer once it is noted that somebody looks at them.

    Raises:
        UnknownPerson, BranchDown, LookNotNoted
    """
    customer = customer_numbered(user_id)
    note_viewed(viewer=person(request).pk, subject=customer.pk, what="customer file")
    return customer


def _is_revealed(request: HttpRequest, customer: User, form: RevealForm) -> bool:
    asked = form.cleaned_data
    what = [PersonalData(one) for one in asked["what"]]
    try:
        reveal(
            viewer=person(request).pk,
            subject=customer.pk,
            what=what,
            reason=RevealReason(asked["reason"]),
            words=asked["words"],
        )
    except DomainError as error:
        if error.field != "reason":
            raise
        form.add_error("words", ValidationError(error.message, code=error.code))
        return False
    remember_revealed(request, customer.pk, what, now=clock.now())
    return True


def _overview(request: HttpRequest, customer: User, form: RevealForm) -> HttpResponse:
    pk = customer.pk
    latest = ask_head_office(lambda source: log_ins_of(pk, before=None, most=1, using=source))
    return _tab(
        request,
        customer,
        "overview",
        form=form,
        accounts=accounts_of(pk),
        latest=next(iter(latest or []), None),
        status_changes=ask_head_office(lambda source: status_changes(pk, using=source)),
        status=REFUSED if form.errors else 200,
    )


def _tab(
    request: HttpRequest, customer: User, tab: str, *, status: int = 200, **more: Any
) -> HttpResponse:
    context = {
        "customer": customer,
        "tab": tab,
        "revealed": revealed_of(request, customer.pk, now=clock.now()),
        **more,
    }
    return render(request, f"employee/customer/{tab}.html", context, status=status)
