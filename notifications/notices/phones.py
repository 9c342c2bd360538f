"""Numbers for SMS: a person's own once they have typed a code that was sent to it."""

import hmac
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from core.errors import DomainError
from notifications.channels.sms import PHONE_NUMBER, SmsNotSentError, send_sms
from notifications.notices.models import Phone

GOOD_FOR: Final = timedelta(minutes=10)
MOST_TRIES: Final = 5
AGAIN_AFTER: Final = timedelta(minutes=1)
_DIGITS: Final = 6


class NoPhone(DomainError):
    """There is no number that a code could be sent to."""

    code = "no_phone"
    http_status = 409

    def __init__(self) -> None:
        super().__init__(_("Give your telephone number in your profile first, with + in front."))


class CodeNotSent(DomainError):
    """No code was sent: one was just sent, or nobody takes it."""

    code = "code_not_sent"
    http_status = 503


class WrongPhoneCode(DomainError):
    """The code is wrong, too old, or was tried too often."""

    code = "wrong_phone_code"
    http_status = 422

    def __init__(self) -> None:
        super().__init__(_("The code is wrong or too old. Ask for a new one."), field="code")


def verified_phones(people: Collection[int]) -> dict[int, str]:
    """Return the numbers that people have shown to be theirs, and still have in their profile."""
    found = Phone.objects.filter(
        person__in=people, verified_at__isnull=False, number=F("person__phone")
    )
    return dict(found.values_list("person_id", "number"))


def send_code(person: int, *, number: str, now: datetime) -> None:
    """Send a code to a number; it is sent once, and never by the outbox, which might repeat it.

    Raises:
        NoPhone, CodeNotSent
    """
    if not PHONE_NUMBER.fullmatch(number):
        raise NoPhone
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    with transaction.atomic():
        known = Phone.objects.select_for_update().filter(pk=person).first()
        if known is not None and known.code_sent_at > now - AGAIN_AFTER:
            raise CodeNotSent(_("A code was sent a moment ago; wait a minute for another."))
        Phone.objects.update_or_create(
            pk=person,
            defaults={
                "number": number,
                "code_digest": _digest(person, number, code),
                "tries": 0,
                "code_sent_at": now,
                "verified_at": None,
            },
        )
    text = _("%(code)s is your code for messages of the bank. Tell it to nobody.") % {"code": code}
    try:
        send_sms(to=number, body=text)
    except SmsNotSentError as error:
        raise CodeNotSent(_("The code could not be sent; please try again later.")) from error


def verify(person: int, *, number: str, code: str, now: datetime) -> None:
    """Take a number for a person's own.

    Raises:
        WrongPhoneCode
    """
    waiting = Phone.objects.filter(
        pk=person, number=number, verified_at__isnull=True, tries__lt=MOST_TRIES
    )
    # Counted before it is compared: whoever tries many at once has no more tries.
    if not waiting.filter(code_sent_at__gt=now - GOOD_FOR).update(tries=F("tries") + 1):
        raise WrongPhoneCode
    typed = _digest(person, number, "".join(code.split()))
    known = Phone.objects.get(pk=person)
    if not hmac.compare_digest(known.code_digest, typed):
        raise WrongPhoneCode
    Phone.objects.filter(pk=person, number=number).update(verified_at=now, code_digest="")


def _digest(person: int, number: str, code: str) -> str:
    key = f"phone {settings.SECRET_KEY}".encode()
    return hmac.new(key, f"{person} {number} {code}".encode(), sha256).hexdigest()
