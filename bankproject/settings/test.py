"""The bank under test: as `make run` serves it."""

from bankproject.settings.dev import *

# Tests send faster than callers may; those of the limit set their own.
API_RATE_LIMIT = 10**9
PASSWORD_HASHERS = ["tests.hashing.QuickArgon2"]
# Static files are looked for when somebody asks: each new test client would list them all.
WHITENOISE_AUTOREFRESH = True
# No worker runs beside the tests: what a page asks of one is done at once.
CELERY_TASK_ALWAYS_EAGER = True
