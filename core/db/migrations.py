"""Migrations that run SQL files."""

from pathlib import Path
from typing import Final

from django.db.migrations import RunSQL


class RunSQLFile(RunSQL):
    """Run one SQL file, whole, in the migration's transaction. There is no way back."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        super().__init__(path.read_text(encoding="utf-8"))

    def describe(self) -> str:
        """Name the file."""
        return f"Run {self.path.name}"
