"""Django's registration of ``core``."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from core import logs
from core.db.naming import name_statements
from core.db.patience import watch_connection


class CoreConfig(AppConfig):
    """Register ``core``."""

    name = "core"

    def ready(self) -> None:
        """Set up the bank's own log lines; patience and names for its connections' statements."""
        logs.configure()
        connection_created.connect(watch_connection, dispatch_uid="patience")
        connection_created.connect(name_statements, dispatch_uid="naming")
