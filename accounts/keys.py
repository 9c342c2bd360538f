"""API keys: what programs of a person's are known by, with a few of their rights."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.known import Known
from accounts.last_used import note_used
from accounts.mails import MailNotSent, send_mail_to
from accounts.models import ApiKey, User
from accounts.standing import is_epoch_of, role_of
from accounts.step_up import require_step_up
from accounts.tokens import InvalidToken
from core.api.access import scopes_of
from core.api.step_up import StepUp
from core.errors import DomainError

BEGINNING: Final = "bank_"
MOST_KEYS: Final = 20
# In which a key's largest transfer is told.
KEYS_CURRENCY: Final = "INR"
_PREFIX_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_PREFIX_LENGTH: Final = 10
_SECRET_BYTES: Final = 32
_KEY: Final = re.compile(
    rf"({BEGINNING}[a-z2-9]{{{_PREFIX_LENGTH}}})_[A-Za-z0-9_-]{{43}}", re.ASCII
)

_log = structlog.get_logger(__name__)


class UnknownKey(DomainError):
    """A person has no such API key, or it is revoked."""

    code = "unknown_key"
    http_status = 404

    def __init__(self) -> None:
        super().__init__(_("There is no such API key, or it is revoked."))


class TooManyKeys(DomainError):
    """A person has as many API keys as anybody may."""

    code = "too_many_keys"
    http_status = 409


class ScopeNotForRole(DomainError):
    """A person's role may not what a key is to be given."""

    code = "scope_not_for_role"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRequest:
    """What a new API key is to be. Its scopes are known ones; the amount is in minor units."""

    name: str
    scopes: frozenset[str]
    largest_transfer: int | None
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UsableKey:
    """What a good API key lets its program do."""

    pk: UUID
    person: int
    scopes: frozenset[str]
    largest_transfer: int | None


def ask_key(
    pk: int, asked: KeyRequest, *, epoch: str, step_up: StepUp, now: datetime
) -> tuple[ApiKey, str]:
    """Make an API key for a person who gives the code for it, and tell them by mail.

    ``epoch`` is the one in which they were let in. The text of the key is returned besides, and not
    kept. No transaction may be open.

    Raises:
        ScopeNotForRole, TooManyKeys
        InvalidToken: their password was changed since they were let in, or they are not active.
        StepUpRequired, WrongStepUpCode, TooManyCodes, NoStepUp, MailNotSent
    """
    person = User.objects.get(pk=pk)
    _refuse_wrong(person, asked, now)
    require_step_up(
        pk,
        action="make_key",
        fingerprint=step_up.fingerprint,
        challenge=step_up.challenge,
        code=step_up.code,
        now=now,
    )
    key, text = make_key(pk, asked, epoch=epoch, now=now)
    if person.email:
        try:
            send_mail_to(person, "key_made", key=key)
        except MailNotSent as error:
            # The key is made, and its text is shown only now.
            _log.warning("key_made_not_told", person=pk, error=str(error.__cause__))
    return key, text


@transaction.atomic
def make_key(pk: int, asked: KeyRequest, *, epoch: str, now: datetime) -> tuple[ApiKey, str]:
    """Make an API key for a person and return it, and its text, which is not kept.

    It locks the person, as does what revokes their keys with a password or a role: a key is made
    before that and revoked with the others, or is not made.

    Raises:
        ScopeNotForRole, TooManyKeys
        InvalidToken: the epoch is over, or they are not active.
    """
    person = User.objects.select_for_update().get(pk=pk)
    if not person.is_active or not is_epoch_of(person, epoch):
        message = _("Your password or status was changed meanwhile; log in again.")
        raise InvalidToken(message)
    _refuse_wrong(person, asked, now)
    prefix = BEGINNING + "".join(secrets.choice(_PREFIX_LETTERS) for _ in range(_PREFIX_LENGTH))
    text = f"{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    key = ApiKey.objects.create(
        person_id=pk,
        name=asked.name,
        prefix=prefix,
        digest=_digest(text),
        scopes=sorted(asked.scopes),
        largest_transfer=asked.largest_transfer,
        expires_at=asked.expires_at,
        made_at=now,
    )
    return key, text


def keys_of(pk: int) -> Sequence[ApiKey]:
    """Return a person's API keys that are not revoked, the newest first."""
    return list(ApiKey.objects.filter(person=pk, revoked_at=None)[:100])


def revoke_key(pk: int, *, key: UUID, now: datetime) -> None:
    """Revoke one of a person's API keys, on every worker within a second.

    Raises:
        UnknownKey
    """
    found = ApiKey.objects.filter(pk=key, person=pk, revoked_at=None)
    prefix = found.values_list("prefix", flat=True).first()
    if prefix is None or not found.update(revoked_at=now):
        raise UnknownKey
    keys.tell(prefix)


def revoke_keys_of(pk: int) -> None:
    """Revoke all of a person's API keys, on every worker within a second of the commit."""
    good = ApiKey.objects.filter(person=pk, revoked_at=None)
    prefixes = list(good.values_list("prefix", flat=True))
    good.filter(prefix__in=prefixes).update(revoked_at=Now())
    for prefix in prefixes:
        transaction.on_commit(partial(keys.tell, prefix))


def usable_key(text: str, *, now: datetime) -> UsableKey:
    """Return what the API key of this text lets its program do.

    Raises:
        InvalidToken: it is not ours, has run out or was revoked.
        OperationalError, InterfaceError: the head office is silent, and the cache does not know.
    """
    shaped = _KEY.fullmatch(text)
    known = keys.get(shaped[1]) if shaped else None
    if (
        known is None
        or not compare_digest(known["digest"], _digest(text))
        or known["is_revoked"]
        or known["expires"] <= now.timestamp()
    ):
        message = _("This API key is not ours, has run out, or was revoked.")
        raise InvalidToken(message)
    note_used(ApiKey, known["pk"], now=now)
    return UsableKey(
        pk=UUID(known["pk"]),
        person=known["person"],
        scopes=frozenset(known["scopes"]),
        largest_transfer=known["largest_transfer"],
    )


def _refuse_wrong(person: User, asked: KeyRequest, now: datetime) -> None:
    beyond = asked.scopes - scopes_of(role_of(person))
    if beyond:
        message = _("This is not for the role %(role)s: %(scopes)s.") % {
            "role": role_of(person),
            "scopes": ", ".join(sorted(beyond)),
        }
        raise ScopeNotForRole(message, field="scopes")
    good = ApiKey.objects.filter(person=person, revoked_at=None, expires_at__gt=now)
    if good.count() >= MOST_KEYS:
        message = _("You have %(most)s API keys; revoke one first.") % {"most": MOST_KEYS}
        raise TooManyKeys(message)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _load(prefix: str) -> dict[str, Any] | None:
    found = ApiKey.objects.filter(prefix=prefix).first()
    if found is None:
        return None
    return {
        "pk": str(found.pk),
        "person": found.person_id,
        "digest": found.digest,
        "scopes": found.scopes,
        "largest_transfer": found.largest_transfer,
        "expires": found.expires_at.timestamp(),
        "is_revoked": found.revoked_at is not None,
    }


keys: Final = Known("key", _load)
