"""Making mails and SMS of notices when they are sent."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from babel.numbers import format_currency
from django.utils import translation

from core.money import Money
from notifications.messages.composing import Words, composed_by, rendered
from notifications.messages.models import Channel, Message
from notifications.notices.models import NoticeKind
from notifications.notices.telling import TEMPLATE
from notifications.notices.wording import wording_of

Details = Callable[[int], Mapping[str, Any]]
_details: Final[dict[str, tuple[str, Details]]] = {}


def detailed_by(kind: NoticeKind, template: str, details: Details) -> None:
    """Let mails of a kind have a template of their own, with what a function tells of a person.

    The function is called when the mail is sent, so that nobody waits for it before.
    """
    _details[kind] = (template, details)


def write(amount: Money) -> str:
    """Write an amount by the language of the moment."""
    locale = translation.to_locale(translation.get_language() or "en")
    return format_currency(amount.decimal, amount.currency, locale=locale)


def words_of_notice(message: Message) -> Words:
    """Return what a message says of the notice behind it."""
    wording = wording_of(message.kind, message.data, write=write)
    if message.channel == Channel.SMS:
        return Words(subject=wording.title, text=f"Bankproject: {wording.title}. {wording.text}")
    template, details = _details.get(message.kind, ("notice", _no_details))
    context = {
        "wording": wording,
        "at": datetime.fromisoformat(message.data["occurred_at"]),
        **(details(message.person_id) if message.person_id else {}),
    }
    return rendered(template, context)


def _no_details(_person: int) -> Mapping[str, Any]:
    return {}


composed_by(TEMPLATE, words_of_notice)
