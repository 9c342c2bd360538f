"""What the log-in door can wait for: run by Celery."""

from datetime import timedelta
from typing import Final

from django.contrib.sessions.models import Session as KeptSession

from accounts.models import Challenge, Session
from core import clock
from core.jobs.periodic import daily_task

_CHALLENGES: Final = timedelta(days=1)
# People see where they are logged in; where they were, the history of log-ins tells.
_SESSIONS: Final = timedelta(days=30)


@daily_task
def forget_sessions() -> None:
    """Forget sessions and challenges that are long over; once a day is enough."""
    now = clock.now()
    Challenge.objects.filter(expires_at__lt=now - _CHALLENGES).delete()
    Session.objects.filter(expires_at__lt=now - _SESSIONS).delete()
    KeptSession.objects.filter(expire_date__lt=now).delete()
