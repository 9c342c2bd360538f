"""Who calls: the person behind a request, by which credential, and how the person stands now."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

from django.http import HttpRequest

from accounts.audit import acting
from accounts.devices import device_of
from accounts.models import User
from accounts.standing import people
from core.client_address import client_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The person behind a request of the API, known without asking the database.

    ``scopes`` is None for sessions and tokens, which may what the role may; an API key has its own.
    ``credential`` is the id of the session or key, for logs and the audit. ``largest_transfer`` is
    the most that an API key may send at once, in minor units of the bank's currency. ``epoch`` is
    what the person's password was known by when they were let in.
    """

    pk: int
    role: str
    scopes: frozenset[str] | None
    via: Literal["session", "token", "key"]
    credential: str
    largest_transfer: int | None = None
    epoch: str = ""
    is_authenticated: Literal[True] = True

    def has_perm(self, name: str) -> bool:
        """Tell whether an admin has a permission; asks the database."""
        person = User.objects.filter(pk=self.pk).first()
        return person is not None and person.has_perm(name)


def acting_as(
    caller: Caller, *, request: HttpRequest | None = None, reason: str = ""
) -> AbstractContextManager[None]:
    """Let the audit know, for the length of the block, that the caller changes people, and why.

    Give the ``request`` where credentials are changed: it tells from where.
    """
    return acting(
        by=caller.pk,
        credential=f"{caller.via}:{caller.credential}",
        reason=reason,
        **({} if request is None else origin_of(request)),
    )


def origin_of(request: HttpRequest) -> dict[str, str]:
    """Return from where a request comes, as ``acting`` wants to know it."""
    device = device_of(request.META.get("HTTP_USER_AGENT", ""))
    return {"address": client_address(request), "device": device}


def forget_standing(pk: int) -> None:
    """Let every worker learn within a second that a person's status, role or password changed.

    Call it after the change is committed.
    """
    people.tell(str(pk))
