"""The bank's Celery as the proof of notifications runs it: the same, in a hurry."""

import os
from datetime import timedelta

import django

django.setup()

from django.conf import settings  # noqa: E402  # Django must know them first

from bankproject.celery import app  # noqa: E402  # Django must know its settings first
from bankproject.schedule import every  # noqa: E402
from notifications.messages import queue  # noqa: E402

settings.EMAIL_TIMEOUT = 3
queue.LEASE = timedelta(seconds=15)  # type: ignore[misc]  # for this proof
queue.DELAYS = (timedelta(milliseconds=400),) * 200  # type: ignore[misc]  # for this proof
if os.environ["BREAK"] == "lease":
    queue.LEASE = timedelta(days=1)  # type: ignore[misc]  # for this proof
app.conf.beat_schedule = {"send_mails": every(1, "notifications.tasks.send_messages", "email")}

__all__ = ["app"]
