"""What the bank's books can wait for: run by Celery."""

from celery import shared_task

from transactions.ledger.connection import fetch_one


@shared_task
def forget_requests() -> int:
    """Forget idempotency keys older than 90 days and return how many; once a day is enough."""
    return int(fetch_one("forget_requests", {}, "default")[0])
