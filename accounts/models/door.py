"""What the log-in door keeps: who was let in, by what, and who was not."""

from typing import ClassVar
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User

LONGEST_DEVICE = 80


class SessionKind(models.TextChoices):
    """What a person logged in with."""

    BROWSER = "browser", _("browser")
    PROGRAM = "program", _("program")


class Session(models.Model):
    """That somebody is logged in, from the log-in to the end.

    ``refresh_serial`` is the number of the refresh token that is good now; those below are used up.
    ``session_key`` finds what Django keeps with it.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    person = models.ForeignKey(User, models.PROTECT, related_name="sessions")
    kind = models.CharField(max_length=8, choices=SessionKind)
    session_key = models.CharField(max_length=40, unique=True)
    address = models.GenericIPAddressField(null=True)
    device = models.CharField(max_length=LONGEST_DEVICE)
    began_at = models.DateTimeField(db_default=Now())
    last_used_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    refresh_serial = models.PositiveIntegerField(default=0)

    class Meta:
        """Those that go on are found by their person."""

        default_permissions = ("view",)
        indexes: ClassVar = [
            models.Index(
                fields=["person", "-began_at"],
                condition=models.Q(ended_at__isnull=True),
                name="session_goes_on",
            ),
        ]

    def __str__(self) -> str:
        """Name the device."""
        return self.device


class LogInResult(models.TextChoices):
    """What came of an attempt to log in."""

    SUCCEEDED = "succeeded", _("logged in")
    WRONG_PASSWORD = "wrong_password", _("wrong password")
    WRONG_CODE = "wrong_code", _("wrong code")
    LOCKED_OUT = "locked_out", _("too many attempts")
    NOT_ACTIVE = "not_active", _("not active")


class LogIn(models.Model):
    """An attempt to log in, never changed. ``person`` is None when nobody has that address."""

    person = models.ForeignKey(User, models.PROTECT, null=True, related_name="log_ins")
    at = models.DateTimeField(db_default=Now())
    address = models.GenericIPAddressField(null=True)
    device = models.CharField(max_length=LONGEST_DEVICE)
    result = models.CharField(max_length=16, choices=LogInResult)

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-pk"]
        default_permissions = ("view",)
        indexes: ClassVar = [
            models.Index(fields=["person", "-id"], name="log_in_of_person"),
            models.Index(fields=["at"], name="log_in_by_time"),
        ]

    def __str__(self) -> str:
        """Say what came of it."""
        return self.get_result_display()


class ApiKey(models.Model):
    """What a program of a person's is known by.

    ``prefix`` is how it begins, which people see and which finds it. Of the rest only ``digest`` is
    kept: SHA-256 is right for 256 random bits, which nobody guesses however fast; slow hashes are
    for what people think up. ``largest_transfer`` is in minor units of the bank's currency.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    person = models.ForeignKey(User, models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=60)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=24))
    largest_transfer = models.BigIntegerField(null=True)
    made_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-made_at"]
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(largest_transfer__isnull=True)
                | models.Q(largest_transfer__gte=0),
                name="api_key_largest_transfer_not_negative",
            ),
        ]

    def __str__(self) -> str:
        """Show the beginning of the key, which tells it from others."""
        return f"{self.prefix}…"


class Challenge(models.Model):
    """A request that must come again with a code.

    ``code_digest`` is of the code that was sent, keyed, since six digits are soon guessed; it is
    empty when an authenticator app makes the code.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    person = models.ForeignKey(User, models.PROTECT, related_name="+")
    action = models.CharField(max_length=60)
    fingerprint = models.CharField(max_length=64)
    channel = models.CharField(max_length=8)
    code_digest = models.CharField(max_length=64, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        """A person's newest are found at once."""

        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["person", "-made_at"], name="challenge_of_person"),
        ]

    def __str__(self) -> str:
        """Name what is asked for."""
        return self.action


class Untold(models.Model):
    """Something that changed and that the cache is still to be told.

    Triggers write it in the transaction of the change, so that no revocation is ever lost, whoever
    makes it and whether or not the cache answers just then.
    """

    place = models.CharField(max_length=60)

    class Meta:
        """Nobody sees them."""

        default_permissions = ()

    def __str__(self) -> str:
        """Name what changed."""
        return self.place
