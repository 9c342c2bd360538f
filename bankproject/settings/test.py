"""The bank under test."""

from bankproject.settings.base import *
