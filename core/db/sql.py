"""Named queries: each ``-- name: …`` of a ``.sql`` file, by its name."""

import re
from functools import cache
from pathlib import Path
from typing import Final

_NAME: Final = re.compile(r"^-- name: (?P<name>\w+)\n", re.MULTILINE)


@cache
def queries(path: Path) -> dict[str, str]:
    """Return the queries of a file, each without its name line."""
    parts = _NAME.split(path.read_text(encoding="utf-8"))
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}
