"""The bank's background worker."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bankproject.settings.prod")

app = Celery("bankproject")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
