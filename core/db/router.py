"""What lies in which database.

- ``default``, the head office: everything. One database alone is a complete bank.
- ``MUM``, ``DEL``, …, the branches: the ledger alone, which SQL files make, not models.
- ``replica``, the consolidated copy: what the others publish.

Relations stay within one database, which is Django's own rule.
"""

from typing import Any, Final

from core.db.aliases import is_branch

LEDGER_APP: Final = "transactions"


class NodeRouter:
    """Tells Django which migration does its work on which database."""

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **_hints: Any
    ) -> bool | None:
        """Let a branch have what the ledger's SQL files make, and no model's table.

        Every migration is recorded on every node, so that one look tells its age.
        """
        if not is_branch(db):
            return None
        return app_label == LEDGER_APP and model_name is None
