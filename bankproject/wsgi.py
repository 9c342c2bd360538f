"""The bank as a WSGI application. It does not start over an unfit database."""

import gc
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from core.db.fitness import UnfitNodeError, refuse_unfit_nodes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bankproject.settings.prod")

try:
    application = get_wsgi_application()
    refuse_unfit_nodes()
    # What is loaded stays: workers share it, and the collector has no need to look through it.
    gc.collect()
    gc.freeze()
except (ImproperlyConfigured, UnfitNodeError) as error:
    sys.exit(f"the bank cannot start: {error}")
