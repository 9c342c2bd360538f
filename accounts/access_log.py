"""Who looked at whose data: kept for ever, and shown to the customer."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from django.db import InterfaceError, OperationalError
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import Approval, Holding, Role, User, Viewing
from core.errors import DomainError

# A page that shows itself anew every few seconds is one look.
_ONE_LOOK: Final = timedelta(minutes=10)


class LookNotNoted(DomainError):
    """The head office is silent, so that nobody could see who looked: nothing is shown."""

    code = "look_not_noted"
    http_status = 503

    def __init__(self) -> None:
        super().__init__(
            _(
                "The head office cannot be reached just now. What customers could not see you look "
                "at is not shown."
            )
        )


def note_viewed(*, viewer: int, subject: int, what: str, reason: str = "") -> None:
    """Note that a member of staff looks at a person's data; their own are no matter.

    Call it before the data are shown: what cannot be noted is not shown. The same look again
    within ten minutes counts as one.

    Raises:
        LookNotNoted
    """
    note_all_viewed(viewer=viewer, subjects=[subject], what=what, reason=reason)


def note_all_viewed(*, viewer: int, subjects: Collection[int], what: str, reason: str = "") -> None:
    """Note that a member of staff looks at the data of several people, as ``note_viewed``.

    Those of whom the head office does not know are left out.

    Raises:
        LookNotNoted
    """
    try:
        _note({*subjects} - {viewer}, viewer=viewer, what=what, reason=reason)
    except (OperationalError, InterfaceError) as error:
        raise LookNotNoted from error


def note_revealed(*, viewer: int, subject: int, what: str, reason: str) -> None:
    """Note that a member of staff has hidden data shown, each time that they do.

    Raises:
        LookNotNoted
    """
    try:
        Viewing.objects.create(viewer_id=viewer, subject_id=subject, what=what, reason=reason)
    except (OperationalError, InterfaceError) as error:
        raise LookNotNoted from error


def note_accounts_viewed(*, viewer: int, numbers: Collection[int], what: str) -> None:
    """Note that a member of staff looks at accounts, for all who hold them.

    Raises:
        LookNotNoted
    """
    try:
        held = Holding.objects.filter(account__in=set(numbers))
        subjects = set(held.values_list("user", flat=True))
    except (OperationalError, InterfaceError) as error:
        raise LookNotNoted from error
    note_all_viewed(viewer=viewer, subjects=subjects, what=what)


def note_requests_viewed(found: Collection[Approval], *, viewer: int, what: str) -> None:
    """Note that a member of staff looks at what was asked for.

    For the people whom it names, for all who hold its accounts, and for customers who asked.

    Raises:
        LookNotNoted
    """
    people = {one.payload["person"] for one in found if "person" in one.payload}
    people |= {one.maker_id for one in found if one.maker.role == Role.CUSTOMER}
    note_all_viewed(viewer=viewer, subjects=people, what=what)
    accounts = {int(one.payload["account"]) for one in found if one.payload.get("account")}
    note_accounts_viewed(viewer=viewer, numbers=accounts, what=what)


def _note(wanted: set[int], *, viewer: int, what: str, reason: str) -> None:
    if not wanted:
        return
    noted = Viewing.objects.filter(
        viewer=viewer,
        subject__in=wanted,
        what=what,
        reason=reason,
        viewed_at__gt=Now() - _ONE_LOOK,
    )
    wanted -= set(noted.values_list("subject", flat=True))
    people = User.objects.filter(pk__in=wanted).values_list("pk", flat=True)
    Viewing.objects.bulk_create(
        [
            Viewing(viewer_id=viewer, subject_id=subject, what=what, reason=reason)
            for subject in sorted(people)
        ]
    )
