"""Which databases this process knows. Nodes may join while it runs: Django itself cannot do that.

``default`` is the head office, ``replica`` the consolidated copy that is read only, and every other
alias the node of a branch, by its code.
"""

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db import connections

HEAD_OFFICE: Final = "default"
REPLICA: Final = "replica"

_CODE: Final = re.compile(r"[A-Z][A-Z0-9]{1,7}")
# The head office's own code, and the other aliases in capitals.
_TAKEN_CODES: Final = frozenset({"HO", "DEFAULT", "REPLICA"})

_lock: Final = threading.Lock()
_finders: Final[list[Callable[[], None]]] = []


def primaries() -> list[str]:
    """Return the aliases of the nodes that take writes, the head office first."""
    return [HEAD_OFFICE, *(alias for alias in connections if is_branch(alias))]


def refuse_bad_code(code: str) -> None:
    """Check that ``code`` can be a branch's, and so the alias of its node.

    Raises:
        ValueError: it cannot, with the rule.
    """
    if not _CODE.fullmatch(code) or code in _TAKEN_CODES:
        message = (
            f"{code!r} is no code for a branch: two to eight capital letters and digits, "
            f"a letter first, not {', '.join(sorted(_TAKEN_CODES))}"
        )
        raise ValueError(message)


def is_branch(alias: str) -> bool:
    """Tell whether an alias is the node of a branch."""
    return alias not in {HEAD_OFFICE, REPLICA}


def add(alias: str, settings: Mapping[str, Any]) -> None:
    """Make a database known under ``alias`` to every thread, or its new address.

    A connection that a thread has open stays at the old address until it is closed.
    """
    filled = connections.configure_settings({HEAD_OFFICE: {}, alias: dict(settings)})[alias]
    with _lock:
        # Replaced, not changed: another thread may be going through it.
        connections.settings = {**connections.settings, alias: filled}


def remove(alias: str) -> None:
    """Forget a database; the connection of this thread is closed, others end with their threads."""
    with _lock:
        rest = {known: value for known, value in connections.settings.items() if known != alias}
        if alias in connections.settings:
            connections[alias].close()
            del connections[alias]
        connections.settings = rest


def found_by(find: Callable[[], None]) -> None:
    """Register who adds the nodes that no setting names, when ``find_all`` asks."""
    _finders.append(find)


def find_all() -> None:
    """Add the nodes that joined the bank since this process was configured."""
    for find in _finders:
        find()
