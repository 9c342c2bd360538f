"""Django's registration of ``notifications``."""

from django.apps import AppConfig
from django.conf import settings

from notifications.channels.sms import sender_for


class NotificationsConfig(AppConfig):
    """Register ``notifications``."""

    name = "notifications"

    def ready(self) -> None:
        """Refuse an SMS_URL that nothing could be sent by."""
        sender_for(settings.SMS_URL)
