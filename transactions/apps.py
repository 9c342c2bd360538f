"""Django's registration of ``transactions``."""

from django.apps import AppConfig

from core.db import aliases


class TransactionsConfig(AppConfig):
    """Register ``transactions``, and who knows the bank's nodes."""

    name = "transactions"

    def ready(self) -> None:
        """Let commands find the nodes that no setting names."""
        from transactions.branches import registry

        aliases.found_by(registry.refresh)
