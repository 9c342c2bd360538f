"""What was changed of what people show who they are by."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.audit import APPEND_ONLY
from accounts.models.door import LONGEST_DEVICE
from accounts.models.people import User


class CredentialEvent(models.TextChoices):
    """What was changed."""

    PASSWORD_CHANGED = "password_changed", _("password changed")
    EMAIL_CHANGED = "email_changed", _("e-mail address changed")
    EMAIL_ADDED = "email_added", _("another e-mail address added")
    EMAIL_REMOVED = "email_removed", _("e-mail address removed")
    TOTP_ADDED = "totp_added", _("authenticator app set up")
    TOTP_CHANGED = "totp_changed", _("authenticator app changed")
    TOTP_REMOVED = "totp_removed", _("authenticator app removed")
    WEBAUTHN_ADDED = "webauthn_added", _("passkey added")
    WEBAUTHN_CHANGED = "webauthn_changed", _("passkey changed")
    WEBAUTHN_REMOVED = "webauthn_removed", _("passkey removed")
    RECOVERY_CODES_ADDED = "recovery_codes_added", _("recovery codes made")
    RECOVERY_CODES_CHANGED = "recovery_codes_changed", _("recovery codes changed")
    RECOVERY_CODES_REMOVED = "recovery_codes_removed", _("recovery codes removed")
    KEY_MADE = "key_made", _("API key made")
    KEY_CHANGED = "key_changed", _("API key changed")
    KEY_REVOKED = "key_revoked", _("API key revoked")
    KEY_RESTORED = "key_restored", _("API key let in again")


class CredentialChange(models.Model):
    """That it was changed: when, by whom, with which session or key, from where; never changed.

    The database writes it, see ``sql/credentials.sql`` and
    ``sql/credential_updates.sql``. ``by`` is None where nobody was logged in,
    as when a password is chosen by the link in a mail. ``detail`` is no secret: an e-mail address,
    or how an API key begins.
    """

    person = models.ForeignKey(User, models.PROTECT, related_name="credential_changes")
    what = models.CharField(max_length=24, choices=CredentialEvent)
    detail = models.CharField(max_length=254, blank=True)
    changed_at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    credential = models.CharField(max_length=60, blank=True)
    address = models.GenericIPAddressField(null=True)
    device = models.CharField(max_length=LONGEST_DEVICE, blank=True)

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-pk"]
        default_permissions = ("view",)
        triggers: ClassVar = [APPEND_ONLY]
        indexes: ClassVar = [
            models.Index(fields=["person", "-id"], name="credential_change_of_person"),
        ]

    def __str__(self) -> str:
        """Say what was changed."""
        return self.get_what_display()
