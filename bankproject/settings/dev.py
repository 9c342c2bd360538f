"""The bank as `make run` serves it: on this machine, over plain HTTP to localhost."""

from bankproject.settings.base import *

# Static files are served from where they lie, without a `collectstatic` at every change.
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True
