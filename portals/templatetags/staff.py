"""How pages of staff write what is hidden, what moved, and how fresh it is."""

from collections.abc import Collection
from typing import Final

from django import template
from django.db import connections
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.db.aliases import REPLICA
from core.db.reading import Reading
from notifications.notices.models import NoticeKind
from portals.templatetags.bank import what

register = template.Library()

HIDDEN: Final = "•••"
_LEAST_SHOWN: Final = 2
_READS: Final = frozenset({"GET", "HEAD"})
_OUTCOMES: Final = {
    "": gettext_lazy("taken"),
    "unreachable": gettext_lazy("nobody was there"),
    "no_answer": gettext_lazy("no answer; it may have come"),
    "refused_for_now": gettext_lazy("refused for now"),
    "refused": gettext_lazy("refused for good"),
    "not_worded": gettext_lazy("could not be worded"),
    "interrupted": gettext_lazy("broken off; it may have come"),
}


@register.filter
def hidden_email(address: str | None) -> str:
    """Write enough of an e-mail address to recognise it: a•••@e•••.org."""
    if not address:
        return "—"
    name, _at, domain = address.partition("@")
    host, _dot, ending = domain.rpartition(".")
    return f"{name[:1]}{HIDDEN}@{host[:1]}{HIDDEN}.{ending}"


@register.filter
def hidden_phone(number: str) -> str:
    """Write the last two digits of a telephone number."""
    return f"{HIDDEN}{number[-_LEAST_SHOWN:]}" if number else "—"


@register.filter
def hidden_address(address: str | None) -> str:
    """Write the beginning of a network address."""
    if not address:
        return ""
    mark = ":" if ":" in address else "."
    return f"{address.partition(mark)[0]}{mark}{HIDDEN}"


@register.filter
def shows(revealed: Collection[str], what_is: str) -> bool:
    """Tell whether data of a kind may be shown just now."""
    return what_is in revealed


@register.filter
def action(name: str) -> str | Promise:
    """Write what a request asks for."""
    return what(name.rpartition(".")[2])


@register.filter
def about(kind: str) -> str | Promise:
    """Write what a message is about."""
    return NoticeKind(kind).label if kind in set(NoticeKind) else kind.replace("_", " ")


@register.filter
def outcome(failure: str) -> str | Promise:
    """Write what came of an attempt to send a message."""
    return _OUTCOMES.get(failure, failure)


@register.simple_tag
def not_from_copy(reading: Reading | None, request: HttpRequest) -> str:
    """Say why a page does not come from the copy for reading; nothing where it may."""
    is_given_up = reading is not None and not reading.may_use_replica
    if not is_given_up or request.method not in _READS or REPLICA not in connections:
        return ""
    return _(
        "The copy for reading is behind or does not answer: "
        "this page was read from the branches themselves, and is of now."
    )
