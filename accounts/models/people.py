"""People: who they are, what they are to the bank, and how they stand with it."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit import APPEND_ONLY, audited
from accounts.models.branches import Branch, District
from accounts.numbers import LEAST_USER_ID
from accounts.reasons import LONGEST_REASON


class Role(models.TextChoices):
    """What a person is to the bank."""

    CUSTOMER = "customer", _("customer")
    EMPLOYEE = "employee", _("employee")
    ADMIN = "admin", _("admin")


class UserStatus(models.TextChoices):
    """How a person stands with the bank. Only the active are let in; closed is for good."""

    ACTIVE = "active", _("active")
    SUSPENDED = "suspended", _("suspended")
    CLOSED = "closed", _("closed")


class UserManager(BaseUserManager["User"]):
    """Makes people."""

    def create_user(self, email: str | None, password: str | None = None, **fields: Any) -> "User":
        """Create a person; without a password they cannot log in until they are invited."""
        user = self.model(email=self.normalize_email(email) or None, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str, **fields: Any) -> "User":
        """Create an admin who may do everything in the Django admin."""
        rights = {"role": Role.ADMIN, "is_staff": True, "is_superuser": True}
        return self.create_user(email, password, **{**rights, **fields})


@audited(exclude=["password", "last_login", "language"])
class User(AbstractBaseUser, PermissionsMixin):
    """A person known to the bank, who logs in by e-mail address.

    ``number`` is the user ID that people see; the database makes it, see ``accounts.numbers``.
    """

    number = models.BigIntegerField(_("user ID"), unique=True, editable=False, db_default=0)
    email = models.EmailField(_("e-mail address"), unique=True, null=True, blank=True)
    full_name = models.CharField(_("name"), max_length=120)
    phone = models.CharField(max_length=20, blank=True)
    birth_date = models.DateField(null=True, blank=True)
    role = models.CharField(max_length=12, choices=Role, default=Role.CUSTOMER)
    branch = models.ForeignKey(
        Branch, models.PROTECT, null=True, blank=True, verbose_name=_("home branch")
    )
    district = models.ForeignKey(District, models.PROTECT, null=True, blank=True)
    # As chosen on a page; empty until then. No matter of the audit's.
    language = models.CharField(max_length=8, blank=True, default="", db_default="")
    external_reference = models.CharField(max_length=64, unique=True, null=True, blank=True)
    status = models.CharField(
        max_length=10,
        choices=UserStatus,
        default=UserStatus.ACTIVE,
        db_default=UserStatus.ACTIVE,
    )
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["full_name"]

    class Meta:
        """One person an e-mail address, however it is written; the active alone are let in."""

        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique_in_any_case"),
            models.CheckConstraint(
                condition=models.Q(number__gte=LEAST_USER_ID), name="user_has_a_user_id"
            ),
            models.CheckConstraint(
                condition=models.Q(is_active=True, status="active")
                | models.Q(is_active=False) & ~models.Q(status="active"),
                name="user_is_active_by_status",
            ),
        ]

    def __str__(self) -> str:
        """Name the person."""
        return self.full_name


class StatusChange(models.Model):
    """That somebody was suspended, let in again or closed: when, by whom, and why."""

    person = models.ForeignKey(User, models.PROTECT, related_name="status_changes")
    status = models.CharField(max_length=10, choices=UserStatus)
    reason = models.CharField(max_length=LONGEST_REASON)
    changed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-pk"]
        default_permissions = ("view",)
        triggers: ClassVar = [APPEND_ONLY]

    def __str__(self) -> str:
        """Say what it became."""
        return self.get_status_display()
