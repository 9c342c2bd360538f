"""The bank's Celery as the proof of webhooks runs it: the same, in a hurry.

Waits are short, so that many attempts fit into a minute, and tasks come without an end of their
validity: what a dead worker leaves comes late.
"""

import os
from datetime import timedelta

import django

django.setup()

from bankproject.celery import app  # noqa: E402  # Django must know its settings first
from core import calls  # noqa: E402
from notifications.webhooks import claims  # noqa: E402

calls.WHOLE_SECONDS = 1.0  # type: ignore[misc]  # for this proof
claims.LEASE = timedelta(seconds=4)  # type: ignore[misc]  # for this proof
claims.DELAYS = (timedelta(milliseconds=400),) * 200  # type: ignore[misc]  # for this proof
if os.environ["BREAK"] == "lease":
    claims.LEASE = timedelta(days=1)  # type: ignore[misc]  # for this proof
app.conf.beat_schedule = {
    "deliver_webhooks": {"task": "notifications.tasks.deliver_webhooks", "schedule": 0.5}
}

__all__ = ["app"]
