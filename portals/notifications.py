"""What a person was told, and how they want to be told of what."""

from collections.abc import Iterator
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import clock
from core.amounts import parse_typed_amount
from core.cursors import InvalidCursor, cursor_for, read_cursor
from core.db.keyset import position
from core.errors import DomainError
from core.money import Money
from notifications.notices.inbox import inbox_of, mark_read
from notifications.notices.models import NoticeKind
from notifications.notices.phones import send_code, verified_phones, verify
from notifications.notices.preferences import (
    ALWAYS_MAILED,
    CURRENCY,
    WITH_THRESHOLD,
    Wish,
    Wishes,
    keep_wishes,
    wishes_of,
)
from notifications.notices.wording import wording_of
from portals.amounts import written
from portals.customer.page import REFUSED, customer_page, person

SHOWN: Final = 25
_CHANNELS: Final = {
    "email": gettext_lazy("E-mail"),
    "sms": gettext_lazy("SMS"),
    "inbox": gettext_lazy("Inbox"),
}
_THRESHOLDS: Final = {
    NoticeKind.MONEY_OUT: gettext_lazy("Only from this amount on"),
    NoticeKind.MONEY_IN: gettext_lazy("Only from this amount on"),
    NoticeKind.LOW_BALANCE: gettext_lazy("When it falls below"),
}


class WishesForm(forms.Form):
    """For each kind the ways by which it is told, and from which amount on."""

    def __init__(self, data: QueryDict | None = None, *, wishes: Wishes, has_phone: bool) -> None:
        self.wishes = wishes
        super().__init__(data)
        for kind, wish in wishes.items():
            self._add_ways(kind, wish, has_phone=has_phone)
            if kind in WITH_THRESHOLD:
                self.fields[f"{kind}_amount"] = _amount_field(NoticeKind(kind), wish)
        self.fields["every_time"] = forms.BooleanField(
            label=_("Mail me at every log-in, not only from a new device or place"),
            required=False,
            initial=wishes[NoticeKind.LOG_IN].every_time,
        )

    def _add_ways(self, kind: str, wish: Wish, *, has_phone: bool) -> None:
        for way, label in _CHANNELS.items():
            is_fixed = way == "email" and kind in ALWAYS_MAILED
            self.fields[f"{kind}_{way}"] = forms.BooleanField(
                label=_("E-mail, always") if is_fixed else label,
                required=False,
                initial=getattr(wish, way),
                disabled=is_fixed or (way == "sms" and not has_phone),
            )

    def kinds(self) -> Iterator[tuple[str, list[BoundField], BoundField | None]]:
        """Yield each kind with its ways, and the amount where it has one."""
        for kind in self.wishes:
            amount = self[f"{kind}_amount"] if kind in WITH_THRESHOLD else None
            ways = [self[f"{kind}_{way}"] for way in _CHANNELS]
            if kind == NoticeKind.LOG_IN:
                ways.append(self["every_time"])
            yield str(NoticeKind(kind).label), ways, amount

    def clean(self) -> dict[str, Any]:
        """Read the amounts, in minor units; a low balance needs one."""
        for kind in WITH_THRESHOLD & self.wishes.keys():
            name = f"{kind}_amount"
            self.cleaned_data[name] = self._read(name, self.cleaned_data.get(name, ""))
        low = NoticeKind.LOW_BALANCE
        is_wanted = any(self.cleaned_data[f"{low}_{way}"] for way in _CHANNELS)
        if is_wanted and self.cleaned_data[f"{low}_amount"] is None and not self.errors:
            self.add_error(f"{low}_amount", _("Give the amount that you want to know of."))
        return self.cleaned_data

    def wanted(self) -> Wishes:
        """Return what a valid form says."""
        told = self.cleaned_data
        return {
            kind: Wish(
                **{way: told[f"{kind}_{way}"] for way in _CHANNELS},
                threshold=told.get(f"{kind}_amount"),
                every_time=kind == NoticeKind.LOG_IN and told["every_time"],
            )
            for kind in self.wishes
        }

    def _read(self, name: str, text: str) -> int | None:
        if not text:
            return None
        try:
            return parse_typed_amount(text, CURRENCY).minor
        except DomainError as error:
            self.add_error(name, ValidationError(error.message, code=error.code))
            return None


class CodeForm(forms.Form):
    """The code that was sent to a telephone."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=12,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )


def _amount_field(kind: NoticeKind, wish: Wish) -> forms.CharField:
    known = "" if wish.threshold is None else Money(wish.threshold, CURRENCY).text
    return forms.CharField(
        label=_THRESHOLDS[kind],
        required=False,
        initial=known,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


@require_safe
@customer_page
def inbox(request: HttpRequest) -> HttpResponse:
    """Show what a person was told, newest first."""
    me = person(request).pk
    listing, cursor = f"inbox of {me}", request.GET.get("before")
    try:
        after = read_cursor(cursor, listing=listing) if cursor else None
    except InvalidCursor as error:
        raise Http404 from error
    found = inbox_of(me, after=after, limit=SHOWN + 1)
    shown = found[:SHOWN]
    last = position(shown[-1], by="occurred_at") if len(found) > SHOWN else None
    context = {
        "notices": [(one, wording_of(one.kind, one.data, write=written)) for one in shown],
        "older": cursor_for(listing, last) if last else None,
        "is_newest": after is None,
        "until": max((one.recorded_at for one in shown), default=None),
        "has_unread": any(one.read_at is None for one in shown),
    }
    return render(request, "notifications/inbox.html", context)


@require_POST
@customer_page
def inbox_read(request: HttpRequest) -> HttpResponse:
    """Take everything that was shown for read."""
    until = parse_datetime(request.POST.get("until", "")) or clock.now()
    mark_read(person(request).pk, until=until, now=clock.now())
    return redirect("inbox")


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def preferences(request: HttpRequest) -> HttpResponse:
    """Show how a person is told of what, and change it."""
    me = person(request)
    has_phone = bool(verified_phones([me.pk]))
    form = WishesForm(request.POST or None, wishes=wishes_of([me.pk])[me.pk], has_phone=has_phone)
    if form.is_bound and form.is_valid():
        keep_wishes(me.pk, form.wanted())
        messages.success(request, _("Changed."))
        return redirect("notifications")
    return _page(request, form, CodeForm(), status=REFUSED if form.errors else 200)


@require_POST
@customer_page
def phone(request: HttpRequest) -> HttpResponse:
    """Send a code to a person's telephone, or take the one that they typed."""
    me, form = person(request), CodeForm(request.POST if "code" in request.POST else None)
    try:
        if form.is_bound and form.is_valid():
            typed = form.cleaned_data["code"]
            verify(me.pk, number=me.phone, code=typed, now=clock.now())
            messages.success(request, _("Messages can come to your telephone now. Choose which."))
            return redirect("notifications")
        if not form.is_bound:
            send_code(me.pk, number=me.phone, now=clock.now())
    except DomainError as error:
        form = CodeForm({"code": ""}) if not form.is_bound else form
        form.full_clean()
        form.errors.clear()
        form.add_error("code", ValidationError(error.message, code=error.code))
    wishes = wishes_of([me.pk])[me.pk]
    status = REFUSED if form.errors else 200
    return _page(
        request, WishesForm(wishes=wishes, has_phone=False), form, status=status, asks=True
    )


def _page(
    request: HttpRequest, form: WishesForm, code: CodeForm, *, status: int, asks: bool = False
) -> HttpResponse:
    me = person(request)
    context = {
        "form": form,
        "code_form": code,
        "asks_for_code": asks,
        "phone": me.phone,
        "verified": verified_phones([me.pk]).get(me.pk),
    }
    return render(request, "notifications/preferences.html", context, status=status)
