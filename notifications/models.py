"""What Django is to find of this app's models."""

from notifications.messages.models import Attachment, Message, MessageAttempt
from notifications.notices.models import Choice, Notice, Phone
from notifications.webhooks.models import Attempt, Delivery, Endpoint, Event

__all__ = [
    "Attachment",
    "Attempt",
    "Choice",
    "Delivery",
    "Endpoint",
    "Event",
    "Message",
    "MessageAttempt",
    "Notice",
    "Phone",
]
