"""Django's registration of ``core``."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from core import logs
from core.db.patience import watch_connection


class CoreConfig(AppConfig):
    """Register ``core``."""

    name = "core"

    def ready(self) -> None:
        """Set up the bank's own log lines, and the patience of its connections."""
        logs.configure()
        connection_created.connect(watch_connection, dispatch_uid="patience")
