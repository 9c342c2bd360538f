"""The bank as a WSGI application. It does not start over an unfit database."""

import gc
import os
import sys
from importlib import import_module

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from core.db.fitness import UnfitNodeError, refuse_unfit_nodes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bankproject.settings.prod")

try:
    application = get_wsgi_application()
    refuse_unfit_nodes()
    # What is loaded stays, the pages too: workers share it, and the collector has no need to look
    # through it.
    import_module(settings.ROOT_URLCONF)
    gc.collect()
    gc.freeze()
except (ImproperlyConfigured, UnfitNodeError) as error:
    sys.exit(f"the bank cannot start: {error}")
