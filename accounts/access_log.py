"""Who looked at whose data: kept for ever, and shown to the customer."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from django.db.models.functions import Now

from accounts.models import User, Viewing

# A page that shows itself anew every few seconds is one look.
_ONE_LOOK: Final = timedelta(minutes=10)


def note_viewed(*, viewer: int, subject: int, what: str, reason: str = "") -> None:
    """Note that a member of staff looks at a person's data; their own are no matter.

    Call it before the data are shown: what cannot be noted is not shown. The same look again
    within ten minutes counts as one.
    """
    note_all_viewed(viewer=viewer, subjects=[subject], what=what, reason=reason)


def note_all_viewed(*, viewer: int, subjects: Collection[int], what: str, reason: str = "") -> None:
    """Note that a member of staff looks at the data of several people, as ``note_viewed``.

    Those of whom the head office does not know are left out.
    """
    wanted = {*subjects} - {viewer}
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
