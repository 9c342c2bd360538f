"""The bank under test: as `make run` serves it."""

from bankproject.settings.dev import *
