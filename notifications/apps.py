"""Django's registration of ``notifications``."""

from django.apps import AppConfig
from django.conf import settings

from notifications.channels.sms import sender_for


class NotificationsConfig(AppConfig):
    """Register ``notifications``."""

    name = "notifications"

    def ready(self) -> None:
        """Refuse an SMS_URL that nothing could be sent by; know how notices are worded."""
        from notifications.notices import composing  # noqa: F401  # importing it is what counts

        sender_for(settings.SMS_URL)
