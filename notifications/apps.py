"""Django's registration of ``notifications``."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Register ``notifications``."""

    name = "notifications"
