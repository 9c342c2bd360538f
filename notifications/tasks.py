"""What messages to people can wait for: run by Celery, as often as like and wherever.

Beat is no more than a trigger: what is due stands in PostgreSQL, and each delivery is taken by one
task only. A task that comes twice, late or not at all changes nothing but the minute.
"""

from datetime import timedelta
from typing import Final

from celery import shared_task

from core import clock
from core.jobs.periodic import daily_task
from notifications.messages import queue, sending
from notifications.messages.models import Channel
from notifications.notices import inbox
from notifications.webhooks.events import forget_events
from notifications.webhooks.sending import send_due
from notifications.webhooks.telling import tell_owners

# A task leaves its place to others now and then, and keeps no worker from stopping.
_SECONDS: Final = 5.0
_KEPT_FOR: Final = timedelta(days=30)
# As long as somebody may ask whether they were told.
_MESSAGES_KEPT_FOR: Final = timedelta(days=180)
_NOTICES_KEPT_FOR: Final = timedelta(days=400)


@shared_task
def deliver_webhooks() -> int:
    """Send the webhooks that are due, and return how many attempts that took."""
    attempts = send_due(clock=clock.now, seconds=_SECONDS)
    tell_owners()
    return attempts


@shared_task
def send_messages(channel: str) -> int:
    """Send some of the mails or SMS that are due, and return how many attempts that took."""
    return sending.send_due(Channel(channel), clock=clock.now)


@daily_task
def forget_webhooks() -> int:
    """Forget events older than 30 days with their history and return how many; for once a day."""
    return forget_events(before=clock.now() - _KEPT_FOR)


@daily_task
def forget_messages() -> int:
    """Forget messages that left, or never will, half a year ago; return how many."""
    return queue.forget_messages(before=clock.now() - _MESSAGES_KEPT_FOR)


@daily_task
def forget_notices() -> int:
    """Forget what people were told more than a year ago; return how many notices."""
    return inbox.forget_notices(before=clock.now() - _NOTICES_KEPT_FOR)
