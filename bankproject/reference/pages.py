"""Which pages there are, and how they are written.

Nothing is asked of a database, so no bank has to run.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from bankproject.reference import commands, problems, routes, schema, settings

PROJECT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = PROJECT / "docs" / "reference"

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "settings.md": settings.page,
    "commands.md": commands.page,
    "routes.md": routes.page,
    "problem-codes.md": problems.page,
    "schema.md": schema.page,
}


def write() -> list[str]:
    """Bring the pages up to date, and return the names of those that changed."""
    changed = []
    for name, make in PAGES.items():
        path, page = FOLDER / name, make()
        if not path.exists() or path.read_text("utf-8") != page:
            path.write_text(page, "utf-8")
            changed.append(name)
    return changed
