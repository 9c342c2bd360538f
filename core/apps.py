"""Django's registration of ``core``."""

from django.apps import AppConfig

from core import logs


class CoreConfig(AppConfig):
    """Register ``core``."""

    name = "core"

    def ready(self) -> None:
        """Set up the bank's own log lines."""
        logs.configure()
