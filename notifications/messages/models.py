"""The head office's outbox: what is to leave the bank, what came of it, and when."""

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    """The way by which a message leaves."""

    EMAIL = "email", _("e-mail")
    SMS = "sms", _("SMS")


class MessageState(models.TextChoices):
    """Where a message stands."""

    WAITING = "waiting", _("to be sent, or sent again")
    SENT = "sent", _("sent")
    DEAD = "dead", _("given up")


class Message(models.Model):
    """A mail or an SMS, written in the transaction of what it tells; its id is its Message-ID.

    ``data`` is what the template ``template`` is filled with when it is sent. ``is_taken``: a
    worker is sending it, or died with it; ``next_attempt_at`` is when another may take it.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    kind = models.CharField(max_length=40)
    channel = models.CharField(max_length=5, choices=Channel)
    to = models.CharField(max_length=254)
    template = models.CharField(max_length=60)
    data = models.JSONField(default=dict)
    language = models.CharField(max_length=8, blank=True)
    state = models.CharField(max_length=8, choices=MessageState, default=MessageState.WAITING)
    is_taken = models.BooleanField(default=False)
    tries = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        """What is due is found without the history; a person's newest at once."""

        ordering: ClassVar = ["-created_at", "-id"]
        default_permissions = ("view",)
        permissions: ClassVar = [("retry_message", "Can let messages be sent again")]
        indexes: ClassVar = [
            models.Index(
                fields=["channel", "next_attempt_at"],
                name="message_due",
                condition=Q(state="waiting"),
            ),
            models.Index(fields=["person", "-created_at", "-id"], name="message_of_person"),
            models.Index(fields=["-created_at", "-id"], name="message_newest"),
        ]

    def __str__(self) -> str:
        """Name what it is about, and its way."""
        return f"{self.kind}, {self.get_channel_display()}"


class MessageAttempt(models.Model):
    """One attempt to hand a message on; ``failure`` is empty when it was taken."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    failure = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        """In order."""

        ordering: ClassVar = ["id"]
        default_permissions = ()

    def __str__(self) -> str:
        """Say what came of it."""
        return self.failure or str(MessageState.SENT.label)


class Attachment(models.Model):
    """A file that goes with a mail."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=80)
    content = models.BinaryField()

    class Meta:
        """In order."""

        ordering: ClassVar = ["id"]
        default_permissions = ()

    def __str__(self) -> str:
        """Name the file."""
        return self.name
