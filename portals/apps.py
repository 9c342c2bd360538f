"""Django's registration of ``portals``."""

from django.apps import AppConfig


class PortalsConfig(AppConfig):
    """Register ``portals``."""

    name = "portals"
