"""The calendar of a branch, as it is now."""

from collections.abc import Collection
from datetime import date

from django.db.models import Q

from accounts.models import Account
from transactions.calendars.models import Holiday


def holidays_for(account: int) -> Collection[date]:
    """Return the holidays of the branch that an account belongs to, and of the whole bank."""
    branch = Account.objects.filter(pk=account).values("branch")
    theirs = Holiday.objects.filter(
        Q(branch__isnull=True) | Q(branch__in=branch), withdrawn_at__isnull=True
    )
    return frozenset(theirs.values_list("day", flat=True))
