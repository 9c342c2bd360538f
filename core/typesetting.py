"""Documents as PDF/UA, which readers of screens can read: set by typst, in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Final

from django.conf import settings

from core.errors import DomainError

_MOST_SECONDS: Final = 60
_WAIT_SECONDS: Final = 20
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "TMPDIR")
_MACHINE: Final = Lock()


class TypesetterBusy(DomainError):
    """Another document is being set, and takes long."""

    code = "typesetter_busy"
    http_status = 503

    def __init__(self) -> None:
        super().__init__("Other documents are being made just now. Please try again in a minute.")


class TypesettingFailed(Exception):
    """A document could not be set: a fault of the bank's, never of the data's."""


def typeset(template: Path, data: Mapping[str, Any]) -> bytes:
    """Return a PDF of a template; ``data`` are JSON, and text in them is never markup.

    One at a time in each process of the web server, so that memory stays bounded.

    Raises:
        TypesetterBusy
        TypesettingFailed
    """
    if not _MACHINE.acquire(timeout=_WAIT_SECONDS):
        raise TypesetterBusy
    try:
        return _set(template, json.dumps(data).encode("ascii"))
    finally:
        _MACHINE.release()


def _set(template: Path, data: bytes) -> bytes:
    root = settings.BASE_DIR
    try:
        done = subprocess.run(
            [sys.executable, "-m", "core.typesetter", str(template), str(root)],
            input=data,
            capture_output=True,
            check=True,
            cwd=root,
            # The bank's secrets are none of its business.
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            timeout=_MOST_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise TypesetterBusy from error
    except subprocess.CalledProcessError as error:
        # Its last line says what is wrong; the data are not to stand in a log.
        told = error.stderr.decode("utf-8", "replace").strip().splitlines()
        raise TypesettingFailed(told[-1][:200] if told else "no word") from None
    return done.stdout
