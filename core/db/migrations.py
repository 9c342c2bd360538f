"""Migrations that run SQL files."""

from pathlib import Path
from typing import Final

from django.db.migrations import RunSQL


class RunSQLFile(RunSQL):
    """Run one SQL file, whole, in the migration's transaction. There is no way back.

    With a ``model`` it runs where that model's table is: branches have none.
    """

    def __init__(self, path: Path, *, model: str | None = None) -> None:
        self.path: Final = path
        hints = {} if model is None else {"model_name": model}
        super().__init__(path.read_text(encoding="utf-8"), hints=hints)

    def describe(self) -> str:
        """Name the file."""
        return f"Run {self.path.name}"
