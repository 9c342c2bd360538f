"""How far a bank was opened by earlier starts, so that later ones need not ask again."""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Literal

from bankproject.runtime.home import Home, write_private

Demo = Literal["unknown", "begun", "loaded", "unwanted"]


@dataclass(frozen=True, kw_only=True)
class History:
    """What is known about the bank in ``database``; the demo's log-ins as text for people.

    ``nodes`` are the aliases that were opened. The demo is *unwanted* in a bank that had people of
    its own when it was first seen.
    """

    database: str
    demo: Demo = "unknown"
    logins: str = ""
    nodes: list[str] = field(default_factory=list)

    def is_complete(self, nodes: Collection[str]) -> bool:
        """Tell whether earlier starts opened this bank with all of ``nodes``."""
        return self.demo in {"loaded", "unwanted"} and set(nodes) <= set(self.nodes)


def read_history(home: Home, database: str) -> History:
    """Return what earlier starts in ``home`` noted about ``database``."""
    nothing = History(database=database)
    try:
        found = History(**json.loads(home.history.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return nothing
    return found if found.database == database else nothing


def write_history(home: Home, history: History) -> None:
    """Note ``history`` for later starts."""
    write_private(home.history, json.dumps(asdict(history)))
