"""The bank's background worker and beat. They do not start over an unfit database."""

import os
import sys

from celery import Celery
from celery.signals import beat_init, celeryd_init, heartbeat_sent

from core.alive import show_alive
from core.db.fitness import UnfitNodeError, refuse_unfit_nodes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bankproject.settings.prod")

# Django's checks are of the code, and load every page: tests make them.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("bankproject")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# From the worker's own loop, every two seconds while it has its broker.
heartbeat_sent.connect(show_alive)


@celeryd_init.connect
@beat_init.connect
def refuse_unfit(**_signal: object) -> None:
    """End the process when the bank must not run on a database."""
    try:
        refuse_unfit_nodes()
    except UnfitNodeError as error:
        sys.exit(f"the bank cannot start: {error}")
