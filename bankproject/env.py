"""The bank's configuration: the only module that reads the environment.

A value comes from the environment, else from ``var/run/nodes.json``, which the embedded runtime
writes while its servers run, so that commands beside a running bank find it by themselves.
"""

import json
from pathlib import Path
from typing import Any, Final

import environ
from django.core.exceptions import ImproperlyConfigured

PROJECT: Final = Path(__file__).resolve().parent.parent
_env: Final = environ.Env()

VAR: Final = Path(_env.str("BANK_VAR", default=str(PROJECT / "var"))).resolve()
NODES_FILE: Final = VAR / "run" / "nodes.json"


def _running_nodes() -> dict[str, str]:
    """Return what the embedded runtime wrote about its servers; empty when none runs here."""
    try:
        found = json.loads(NODES_FILE.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        message = f"{NODES_FILE} cannot be read ({error}); stop the bank and remove the file"
        raise ImproperlyConfigured(message) from error
    return {str(name): str(value) for name, value in found.items()}


_nodes: Final = _running_nodes()


def text(name: str, default: str | None = None) -> str:
    """Return the setting ``name``.

    Raises:
        ImproperlyConfigured: it is set nowhere and has no default.
    """
    value = _env.str(name, default=None) or _nodes.get(name) or default
    if value is None:
        message = f"{name} is not set and no bank runs under {VAR}; `make run` starts one"
        raise ImproperlyConfigured(message)
    return value


def flag(name: str, *, default: bool) -> bool:
    """Return the yes-or-no setting ``name``."""
    found = _env.str(name, default=None) or _nodes.get(name)
    return default if found is None else found.lower() in {"1", "true", "yes", "on"}


def number(name: str, default: int) -> int:
    """Return the whole-number setting ``name``.

    Raises:
        ImproperlyConfigured: its value is no whole number.
    """
    value = text(name, str(default))
    try:
        return int(value)
    except ValueError:
        message = f"{name} must be a whole number, not {value!r}"
        raise ImproperlyConfigured(message) from None


def names(name: str, default: str) -> list[str]:
    """Return the comma-separated setting ``name`` as a list."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def database(name: str) -> dict[str, Any]:
    """Return the Django database settings of the URL in ``name``."""
    parsed: dict[str, Any] = _env.db_url_config(text(name))
    if parsed.get("ENGINE") != "django.db.backends.postgresql":
        message = f"{name} must be a postgresql:// URL"
        raise ImproperlyConfigured(message)
    return parsed
