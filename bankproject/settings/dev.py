"""The bank as `make run` serves it: on this machine, over plain HTTP to localhost."""

from bankproject.settings.base import *
