"""Settings for mypy's Django plugin, which reads them and connects to nothing."""

import os

os.environ.setdefault("DATABASE_URL", "postgresql://bank_app@127.0.0.1/bank")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1/0")
os.environ.setdefault("SECRET_KEY", "only-for-reading-types")

from bankproject.settings.test import *  # noqa: F403  # settings are their base
