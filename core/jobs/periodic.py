"""Declaring tasks that beat wakes once a day: how each ended is kept, failures come again."""

from functools import partial
from typing import Final

from celery import shared_task
from django.db import DatabaseError

daily_task: Final = partial(
    shared_task,
    ignore_result=False,
    autoretry_for=(DatabaseError, OSError),
    retry_backoff=30,
    retry_backoff_max=900,
    retry_jitter=True,
    max_retries=10,
)
"""A task without arguments that does the same however often it comes in a day."""
