"""How pages write money, numbers and times."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.numbers import shown_user_id
from accounts.sessions import IDLE_SECONDS
from core.db.aliases import HEAD_OFFICE
from core.money import Money
from portals import outbox
from portals.amounts import are_hidden, written, written_change
from portals.languages import page_locale
from portals.preferences import THEMES
from portals.sparkline import drawn
from portals.words import CHANNELS, KINDS, PRODUCTS, Words, words_for
from portals.words import looked_at as words_of_look
from portals.words import said as in_page_language

register = template.Library()

_GROUP: Final = 4


@register.filter
def money(amount: Money | None) -> str:
    """Write an amount as people write it: ₹1,25,000.50."""
    return "" if amount is None else written(amount)


@register.filter
def change(amount: Money) -> str:
    """Write an amount with its sign, plus or minus."""
    return written_change(amount)


@register.simple_tag
def sparkline(balances: Sequence[int], currency: str) -> SafeString:
    """Draw how a balance went."""
    return drawn(balances, currency)


@register.filter
def account_number(number: int) -> SafeString:
    """Write an account number in groups; copied, it has no blanks."""
    digits = str(number)
    groups = [(digits[at : at + _GROUP],) for at in range(0, len(digits), _GROUP)]
    return format_html(
        '<span class="account-number">{}</span>', format_html_join("", "<span>{}</span>", groups)
    )


@register.filter
def last_digits(number: int) -> str:
    """Write the end of an account number, by which its holder knows it."""
    return str(number)[-_GROUP:]


@register.filter
def user_id(number: int) -> str:
    """Write a user ID: branch, serial, check digit."""
    return shown_user_id(number)


@register.filter
def percent(millionths: int) -> str:
    """Write a rate: 35000 is 3.5 %."""
    share = format_decimal(Decimal(millionths) / 10_000, format="0.####", locale=page_locale())
    return f"{share}\N{NO-BREAK SPACE}%"


@register.filter
def day(at: datetime) -> SafeString:
    """Write the bank's calendar day of an instant."""
    return _time(at, "d MMM yyyy")


@register.filter
def weekday(on: date) -> str:
    """Write a calendar day with its weekday."""
    return _written_day(on, "EEE, d MMM yyyy", page_locale())


@register.filter
def calendar_day(on: date) -> str:
    """Write a calendar day."""
    return _written_day(on, "d MMM yyyy", page_locale())


@register.filter
def month_name(on: date) -> str:
    """Write the month of a calendar day."""
    return _written_day(on, "MMM yyyy", page_locale())


@register.filter
def minute(at: datetime) -> SafeString:
    """Write an instant to the minute, in the bank's time zone."""
    return _time(at, "d MMM yyyy, HH:mm")


@register.filter
def second(at: datetime) -> SafeString:
    """Write an instant to the second, in the bank's time zone."""
    return _time(at, "d MMM yyyy, HH:mm:ss")


@register.filter
def kind(name: str) -> Words:
    """Write what a transfer is for."""
    return KINDS[name]


@register.filter
def what(name: str) -> Words:
    """Write what was done: a transfer's kind, or what happened to an account."""
    return words_for(name)


@register.filter
def product(name: str) -> Words:
    """Write what kind of account it is."""
    return PRODUCTS.get(name) or words_for(name)


@register.filter
def said(text: str | None) -> str:
    """Write a text of the bank's that was kept in English."""
    return in_page_language(str(text or ""))


@register.filter
def looked_at(name: str) -> Words:
    """Write what somebody of the staff looked at."""
    return words_of_look(name)


@register.filter
def node(alias: str) -> Words:
    """Write which branch's node it is."""
    return _("Head office") if alias == HEAD_OFFICE else alias


@register.filter
def channel(name: str) -> Words:
    """Write the way by which a transfer came to the bank."""
    return CHANNELS[name]


def _time(at: datetime, pattern: str) -> SafeString:
    local = timezone.localtime(at)
    shown = format_datetime(local, pattern, locale=page_locale())
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), shown)


@lru_cache(maxsize=4_096)
def _written_day(on: date, pattern: str, locale: str) -> str:
    written_day: str = format_date(on, pattern, locale=locale)
    return written_day


@register.simple_tag
def amounts_hidden() -> bool:
    """Tell whether the page shows no amounts."""
    return are_hidden()


@register.simple_tag
def in_demo() -> bool:
    """Tell whether this bank is a demo."""
    return settings.BANK_DEMO


@register.simple_tag(takes_context=True)
def outbox_is_shown(context: template.Context) -> bool:
    """Tell whether who asks for the page is shown the outbox."""
    return outbox.is_shown_to(context["request"])


@register.simple_tag
def idle_seconds() -> int:
    """Return after how long somebody who asks for no page is logged out."""
    return IDLE_SECONDS


@register.simple_tag
def themes() -> list[tuple[str, object]]:
    """Return the themes a person may choose, each with its words."""
    return list(THEMES.items())


@register.simple_tag
def languages() -> list[tuple[str, str]]:
    """Return the languages a person may choose, each with its own name for itself."""
    return settings.LANGUAGES


@register.simple_tag
def is_cash_self_service() -> bool:
    """Tell whether customers pay cash in and take it out themselves."""
    return settings.BANK_SELF_SERVICE_CASH
