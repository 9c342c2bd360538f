"""The queues of background work, by which its processes are told what they take."""

from typing import Final

URGENT: Final = "urgent"
NORMAL: Final = "normal"
LONG: Final = "long"
QUEUES: Final = (URGENT, NORMAL, LONG)
"""Somebody waits for what is urgent; what is long has a worker of its own."""
