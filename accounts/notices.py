"""What people are told of their own access: log-ins, and changes of what lets them in."""

from django.db.models import Q
from django.http import HttpRequest

from accounts.devices import device_of
from accounts.models import LogIn, LogInResult, User
from core import clock
from core.client_address import client_address
from notifications.notices.models import NoticeKind
from notifications.notices.telling import NewNotice, tell


def tell_of_log_in(request: HttpRequest, person: User, *, log_in: int) -> None:
    """Tell somebody that they logged in; from a known device and address, who asked for that.

    ``log_in`` is the row of the history, which the others are compared with.
    """
    now = clock.now()
    place = _place(request)
    told = NewNotice(
        person=person.pk,
        kind=NoticeKind.LOG_IN,
        source=str(log_in),
        occurred_at=now,
        data=place,
        is_usual=_is_usual(person.pk, log_in, **place),
    )
    tell([told], now=now)


def tell_of_change(request: HttpRequest, person: User, *, what: str) -> None:
    """Tell somebody of a change of what lets them in, in the words ``what``."""
    now = clock.now()
    told = NewNotice(
        person=person.pk,
        kind=NoticeKind.SECURITY,
        source=f"{what} {now.isoformat()}",
        occurred_at=now,
        data={"title": what, **_place(request)},
    )
    tell([told], now=now)


def _place(request: HttpRequest) -> dict[str, str]:
    return {
        "device": device_of(request.META.get("HTTP_USER_AGENT", "")),
        "address": client_address(request) or "",
    }


def _is_usual(person: int, log_in: int, *, device: str, address: str) -> bool:
    """Tell whether both the device and the address have let this person in before."""
    earlier = LogIn.objects.filter(
        person=person, result=LogInResult.SUCCEEDED, pk__lt=log_in
    ).filter(Q(device=device) | Q(address=address or None))
    known = list(earlier.values_list("device", "address")[:1_000])
    return any(one == device for one, _at in known) and any(at == address for _one, at in known)
