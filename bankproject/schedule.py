"""What beat wakes, when, and in which queue: the defaults, which admins may change.

Beat is no more than a trigger. What is due stands in PostgreSQL, so that a task that comes twice,
late or not at all changes nothing but the minute. Times are UTC.
"""

from typing import Any, Final

from celery.schedules import crontab

from bankproject.queues import LONG, NORMAL, URGENT


def every(seconds: float, task: str, *arguments: str, queue: str = NORMAL) -> dict[str, Any]:
    """Wake a task every so many seconds. What nobody took up in time, the next one does."""
    return {
        "task": task,
        "schedule": seconds,
        "args": list(arguments),
        "options": {"queue": queue, "expire_seconds": int(seconds * 2)},
    }


def daily(hour: int, minute: int, task: str, queue: str = NORMAL) -> dict[str, Any]:
    """Wake a task once a day."""
    return {
        "task": task,
        "schedule": crontab(hour=str(hour), minute=str(minute)),
        "options": {"queue": queue},
    }


SCHEDULE: Final = {
    "deliver_webhooks": every(2, "notifications.tasks.deliver_webhooks", queue=URGENT),
    "send_mails": every(2, "notifications.tasks.send_messages", "email", queue=URGENT),
    "send_sms": every(2, "notifications.tasks.send_messages", "sms", queue=URGENT),
    "run_jobs": every(2, "core.tasks.run_jobs", NORMAL),
    "run_long_jobs": every(5, "core.tasks.run_jobs", LONG, queue=LONG),
    "monthly_report": every(600, "portals.tasks.monthly_report"),
    "monthly_statements": every(600, "transactions.tasks.monthly_statements"),
    "watch_for_fraud": every(10, "transactions.tasks.watch_for_fraud"),
    "watch_risk": daily(2, 41, "loans.tasks.watch_risk", queue=LONG),
    "forget_webhooks": daily(3, 41, "notifications.tasks.forget_webhooks"),
    "forget_messages": daily(3, 47, "notifications.tasks.forget_messages"),
    "forget_notices": daily(3, 59, "notifications.tasks.forget_notices"),
    "forget_sessions": daily(3, 29, "accounts.tasks.forget_sessions"),
    "forget_requests": daily(3, 17, "transactions.tasks.forget_requests"),
    "forget_jobs": daily(3, 53, "core.tasks.forget_jobs"),
}
