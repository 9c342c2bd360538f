"""The bank under test."""

from bankproject.settings.base import *  # noqa: F403  Django reads settings from one module
