"""People: who they are, and what they are to the bank."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.branches import District


class Role(models.TextChoices):
    """What a person is to the bank."""

    CUSTOMER = "customer", _("customer")
    EMPLOYEE = "employee", _("employee")
    ADMIN = "admin", _("admin")


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


class User(AbstractBaseUser, PermissionsMixin):
    """A person known to the bank, who logs in by e-mail address."""

    email = models.EmailField(_("e-mail address"), unique=True, null=True, blank=True)
    full_name = models.CharField(_("name"), max_length=120)
    phone = models.CharField(max_length=20, blank=True)
    birth_date = models.DateField(null=True, blank=True)
    role = models.CharField(max_length=12, choices=Role, default=Role.CUSTOMER)
    district = models.ForeignKey(District, models.PROTECT, null=True, blank=True)
    external_reference = models.CharField(max_length=64, unique=True, null=True, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["full_name"]

    class Meta:
        """One person an e-mail address, however it is written."""

        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique_in_any_case"),
        ]

    def __str__(self) -> str:
        """Name the person."""
        return self.full_name
