"""Step-up: a sensitive request is made twice, the second time with a code.

The code is of the person's authenticator app, or else comes by e-mail. It is good for this one
request of this person, once, for five minutes.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID, uuid4

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.known import asking_head_office
from accounts.mails import send_mail_to
from accounts.models import Challenge, User
from core.errors import DomainError

LIFE: Final = timedelta(minutes=5)
MOST_TRIES: Final = 5
# So many challenges a person gets in a quarter of an hour, and so fewer guesses in all.
MOST_CHALLENGES: Final = 10
_PERIOD: Final = timedelta(minutes=15)
# And so many wrong codes in an hour, of all challenges together.
MOST_WRONG: Final = 10
_LOCKED: Final = timedelta(hours=1)
# A request that comes again at once, without its code, does not cause another mail.
_MAIL_PAUSE: Final = timedelta(seconds=30)
_DIGITS: Final = 6
_SALT: Final = "step-up code"
_ASKING: Final = {
    "totp": gettext_lazy("Send this again with the code of your authenticator app."),
    "email": gettext_lazy("Send this again with the code that we have sent you by e-mail."),
}

Outcome = Literal["right", "wrong", "over"]


class StepUpRequired(DomainError):
    """A request must come again, with a code. ``members`` say how."""

    code = "step_up_required"
    http_status = 403

    def __init__(self, challenge: Challenge) -> None:
        super().__init__(_ASKING[challenge.channel])
        self.members = {
            "challenge": str(challenge.pk),
            "expires_at": challenge.expires_at.isoformat().replace("+00:00", "Z"),
            "channel": challenge.channel,
        }


class WrongStepUpCode(DomainError):
    """The code is not the one."""

    code = "wrong_step_up_code"
    http_status = 403


class TooManyCodes(DomainError):
    """A person asked for codes too often."""

    code = "too_many_codes"
    http_status = 429
    wait: Final = _PERIOD.total_seconds()


class TooManyWrongCodes(DomainError):
    """A person gave many wrong codes: somebody may be guessing."""

    code = "too_many_wrong_codes"
    http_status = 429
    wait: Final = _LOCKED.total_seconds()

    def __init__(self) -> None:
        super().__init__(_("There were many wrong codes. Please try again in an hour."))


class NoStepUp(DomainError):
    """A person has neither an authenticator app nor an e-mail address."""

    code = "step_up_impossible"
    http_status = 403


def require_step_up(
    caller_pk: int,
    *,
    action: str,
    fingerprint: str,
    challenge: str | None,
    code: str | None,
    now: datetime,
) -> None:
    """Let a request pass that comes with the code of its challenge; else begin a challenge.

    ``fingerprint`` is the same for the same request only. The code is used up when this returns,
    whatever becomes of the request: call it last, just before the work, outside any transaction.

    Raises:
        StepUpRequired: there is no code, or none that is still good.
        WrongStepUpCode: it is another one; it may be tried again, five times in all.
        TooManyWrongCodes: the person gave many, whatever for; no code is looked at.
        TooManyCodes, NoStepUp, MailNotSent, HeadOfficeSilent
    """
    asked = Challenge(person_id=caller_pk, action=action, fingerprint=fingerprint, made_at=now)
    with asking_head_office():
        if challenge and code:
            outcome = _try(asked, challenge=challenge, code=code)
            if outcome == "right":
                return
            if outcome == "wrong":
                message = _("This is not the code. Please look again.")
                raise WrongStepUpCode(message)
        raise StepUpRequired(_recent(asked) or _begin(asked))


def _try(asked: Challenge, *, challenge: str, code: str) -> Outcome:
    """Try a code; a wrong one counts, a right one is used up.

    Raises:
        TooManyWrongCodes
    """
    try:
        pk = UUID(challenge)
    except ValueError:
        return "over"
    with transaction.atomic():
        # Those of one person are tried in turn, so that none is missed when they are counted.
        User.objects.select_for_update(no_key=True).get(pk=asked.person_id)
        _refuse_guesser(asked)
        found = _open(asked).select_for_update().filter(pk=pk).first()
        if found is None:
            return "over"
        found.tries += 1
        if _is_right(found, code):
            found.used_at = asked.made_at
        found.save(update_fields=["tries", "used_at"])
    return "right" if found.used_at else "wrong"


def _refuse_guesser(asked: Challenge) -> None:
    """Refuse who gave many wrong codes lately. PostgreSQL counts them: it knows all challenges.

    Raises:
        TooManyWrongCodes
    """
    since = asked.made_at - _LOCKED
    lately = Challenge.objects.filter(person=asked.person_id, made_at__gt=since)
    tried = lately.aggregate(tries=Sum("tries", default=0), right=Count("used_at"))
    if tried["tries"] - tried["right"] >= MOST_WRONG:
        raise TooManyWrongCodes


def _open(asked: Challenge) -> QuerySet[Challenge]:
    """Return the challenges of the same request that can still be met."""
    return Challenge.objects.filter(
        person=asked.person_id,
        action=asked.action,
        fingerprint=asked.fingerprint,
        used_at=None,
        expires_at__gt=asked.made_at,
        tries__lt=MOST_TRIES,
    )


def _is_right(challenge: Challenge, code: str) -> bool:
    if challenge.channel == "totp":
        app = _authenticator_app(challenge.person_id)
        return app is not None and bool(app.wrap().validate_code(code))
    return constant_time_compare(challenge.code_digest, _digest(challenge, code))


def _recent(asked: Challenge) -> Challenge | None:
    return _open(asked).filter(made_at__gt=asked.made_at - _MAIL_PAUSE).first()


def _begin(asked: Challenge) -> Challenge:
    """Begin a challenge, and send its code unless an app makes it.

    Raises:
        TooManyCodes, TooManyWrongCodes, NoStepUp, MailNotSent
    """
    since = asked.made_at - _PERIOD
    _refuse_guesser(asked)
    begun = Challenge.objects.filter(person=asked.person_id, made_at__gt=since)
    if begun.count() >= MOST_CHALLENGES:
        message = _("You asked for many codes. Please try again in a quarter of an hour.")
        raise TooManyCodes(message)
    asked.pk = uuid4()
    asked.expires_at = asked.made_at + LIFE
    asked.channel = "email" if _authenticator_app(asked.person_id) is None else "totp"
    if asked.channel == "email":
        _send_code(asked)
    asked.save(force_insert=True)
    return asked


def _send_code(challenge: Challenge) -> None:
    person = User.objects.get(pk=challenge.person_id)
    if not person.email:
        message = _("Set up an authenticator app first: we have no e-mail address of yours.")
        raise NoStepUp(message)
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    challenge.code_digest = _digest(challenge, code)
    send_mail_to(person, "step_up", code=code, minutes=int(LIFE.total_seconds()) // 60)


def _authenticator_app(person: int) -> Authenticator | None:
    return Authenticator.objects.filter(user=person, type=Authenticator.Type.TOTP).first()


def _digest(challenge: Challenge, code: str) -> str:
    text = f"{challenge.pk}:{code.strip()}"
    return salted_hmac(_SALT, text, algorithm="sha256").hexdigest()
