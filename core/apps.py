"""Django's registration of ``core``."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Register ``core``."""

    name = "core"
