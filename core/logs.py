"""Logs: one JSON object a line, on standard error.

The bank's own lines are written by structlog straight away; those of libraries come by the standard
library's loggers, in the same form.
"""

import logging
import sys
from contextlib import suppress
from typing import Any, Final

import structlog

_SHARED: Final[list[Any]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    # Tracebacks without the values of variables, which may be secret.
    structlog.processors.format_exc_info,
]
_AS_JSON: Final = structlog.processors.JSONRenderer(ensure_ascii=False)

LOGGING: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _SHARED,
            "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _AS_JSON],
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        # The middleware logs every request once, failed ones with their traceback.
        "django.request": {"level": "CRITICAL"},
        # It tells of each letter that it puts into a PDF.
        "fontTools": {"level": "WARNING"},
    },
}


class _Lines:
    """Finished lines, on standard error as the process was given it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def write(self, line: str) -> None:
        """Write a line, in one piece. A full disk or a reader that is gone stops no work."""
        with suppress(OSError, ValueError, AttributeError):
            sys.__stderr__.write(f"{line}\n")  # type: ignore[union-attr]  # None is passed over

    debug = info = warning = error = critical = write


def configure() -> None:
    """Give the bank's own log lines their form."""
    structlog.configure(
        processors=[*_SHARED, _AS_JSON],
        logger_factory=_Lines,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
