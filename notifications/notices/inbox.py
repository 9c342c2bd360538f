"""What lies in a person's inbox, and what of it they have not seen."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from core.db.keyset import older
from notifications.notices.models import Notice


def inbox_of(person: int, *, after: Sequence[str] | None, limit: int) -> list[Notice]:
    """Return a person's newest notices, those after a cursor."""
    found = Notice.objects.filter(person=person, in_inbox=True)
    return list(older(found, by="occurred_at", than=after)[:limit])


def mark_read(person: int, *, until: datetime, now: datetime) -> int:
    """Note that a person has seen what was recorded until an instant; return how many were new."""
    return _unread().filter(person=person, recorded_at__lte=until).update(read_at=now)


def unread_of(person: OuterRef) -> Coalesce:
    """Return a column with how many notices somebody has not seen, for a query about people."""
    count = (
        _unread().filter(person=person).order_by().values("person").annotate(n=Count("pk"))
    ).values("n")
    return Coalesce(Subquery(count, output_field=IntegerField()), 0)


def forget_notices(*, before: datetime) -> int:
    """Forget what was recorded before an instant; return how many."""
    return Notice.objects.filter(recorded_at__lt=before).delete()[0]


def _unread() -> QuerySet[Notice]:
    return Notice.objects.filter(in_inbox=True, read_at__isnull=True)
