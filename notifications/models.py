"""What Django is to find of this app's models."""

from notifications.webhooks.models import Attempt, Delivery, Endpoint, Event

__all__ = ["Attempt", "Delivery", "Endpoint", "Event"]
