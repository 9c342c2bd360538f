"""Where people are logged in, and how that ends."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.callers import Caller
from accounts.devices import device_of
from accounts.models import Session, SessionKind, User
from accounts.sessions import ENDS_AT, IN_SESSION, SessionStore, remember_session
from accounts.standing import remember_standing
from core.client_address import client_address
from core.errors import DomainError


class UnknownSession(DomainError):
    """A person has no such session, or it is over."""

    code = "unknown_session"
    http_status = 404

    def __init__(self) -> None:
        super().__init__(_("There is no such session, or it is over."))


def begin_session(
    request: HttpRequest, *, person: User, kind: SessionKind, now: datetime
) -> Session:
    """Note that a person is logged in with the request's session, and return it.

    The cache knows both from now on: they can go on while the head office is down.
    """
    if request.session.session_key is None:
        request.session.save()
    session, _is_new = Session.objects.update_or_create(
        session_key=request.session.session_key,
        defaults={
            "person": person,
            "kind": kind,
            "address": client_address(request),
            "device": device_of(request.META.get("HTTP_USER_AGENT", "")),
            "expires_at": now + timedelta(seconds=settings.SESSION_COOKIE_AGE),
            "ended_at": None,
        },
    )
    request.session[IN_SESSION] = str(session.pk)
    request.session[ENDS_AT] = session.expires_at.timestamp()
    remember_session(session)
    remember_standing(person)
    return session


def sessions_of(pk: int, *, now: datetime, using: str = "default") -> Sequence[Session]:
    """Return where a person is logged in, the last begun first."""
    known = Session.objects.using(using)
    going_on = known.filter(person=pk, ended_at=None, expires_at__gt=now)
    return list(going_on.order_by("-began_at")[:100])


def end_session(pk: int, *, session: UUID) -> None:
    """End one of a person's sessions, on every worker within a second.

    Raises:
        UnknownSession
    """
    found = Session.objects.filter(pk=session, person=pk, ended_at=None).first()
    if found is None:
        raise UnknownSession
    SessionStore(found.session_key).delete()


def end_session_of_caller(request: HttpRequest, caller: Caller) -> None:
    """End the session that a request belongs to; once it is over, do nothing."""
    if caller.via == "session":
        request.session.flush()
        return
    with suppress(UnknownSession):
        end_session(caller.pk, session=UUID(caller.credential))


def end_sessions_of(pk: int, *, but: str | None = None) -> None:
    """End all of a person's sessions, but the one with this session key."""
    going_on = Session.objects.filter(person=pk, ended_at=None).exclude(session_key=but or "")
    for key in going_on.values_list("session_key", flat=True):
        SessionStore(key).delete()
