"""People, branches, and the identity of accounts. What an account holds is the ledger's."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Branch(models.Model):
    """A branch of the bank. Account numbers begin with its number."""

    code = models.CharField(max_length=8, unique=True)
    number = models.PositiveSmallIntegerField(unique=True)
    name = models.CharField(max_length=80)

    class Meta:
        """Branches in the order of their numbers."""

        verbose_name_plural = "branches"
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(number__range=(100, 999)), name="branch_number_has_three_digits"
            ),
        ]

    def __str__(self) -> str:
        """Name the branch."""
        return f"{self.code} {self.name}"


class District(models.Model):
    """A district people live in, with what the statistics say of it (as of the data's source)."""

    code = models.PositiveIntegerField(unique=True)
    name = models.CharField(max_length=80)
    region = models.CharField(max_length=80)
    inhabitants = models.PositiveIntegerField()
    municipalities_below_500 = models.PositiveIntegerField()
    municipalities_below_2000 = models.PositiveIntegerField()
    municipalities_below_10000 = models.PositiveIntegerField()
    municipalities_above_10000 = models.PositiveIntegerField()
    cities = models.PositiveIntegerField()
    urban_share = models.DecimalField(max_digits=4, decimal_places=1)
    average_salary = models.PositiveIntegerField()
    unemployment_1995 = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    unemployment_1996 = models.DecimalField(max_digits=5, decimal_places=2)
    entrepreneurs_per_1000 = models.PositiveIntegerField()
    crimes_1995 = models.PositiveIntegerField(null=True)
    crimes_1996 = models.PositiveIntegerField()

    class Meta:
        """Districts in the order of their codes."""

        ordering: ClassVar = ["code"]

    def __str__(self) -> str:
        """Name the district."""
        return f"{self.name}, {self.region}"


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


class Product(models.TextChoices):
    """What kind of account a customer has."""

    CURRENT = "current", _("current account")
    SAVINGS = "savings", _("savings account")


class AccountStatus(models.TextChoices):
    """Whether money moves on an account; what its branch says counts, this names it."""

    OPEN = "open", _("open")
    FROZEN = "frozen", _("frozen")
    CLOSED = "closed", _("closed")


class Rights(models.TextChoices):
    """What a person may do with an account that they hold."""

    OWNER = "owner", _("owner")
    AUTHORISED = "authorised", _("authorised")


class Account(models.Model):
    """The identity of a customer's account. Its number never changes.

    ``status`` and ``holdings`` are copies of what the account's branch says.
    """

    number = models.BigIntegerField(primary_key=True)
    branch = models.ForeignKey(Branch, models.PROTECT)
    product = models.CharField(max_length=12, choices=Product)
    currency = models.CharField(max_length=3)
    name = models.CharField(max_length=60, blank=True)
    status = models.CharField(
        max_length=8,
        choices=AccountStatus,
        db_default=AccountStatus.OPEN,
        default=AccountStatus.OPEN,
    )
    opened_at = models.DateTimeField()
    external_reference = models.CharField(max_length=64, unique=True, null=True, blank=True)

    class Meta:
        """Accounts in the order of their numbers."""

        ordering: ClassVar = ["number"]

    def __str__(self) -> str:
        """Show the number."""
        return str(self.number)


class Holding(models.Model):
    """That a person holds an account."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="holdings")
    user = models.ForeignKey(User, models.PROTECT, related_name="holdings")
    rights = models.CharField(max_length=12, choices=Rights)

    class Meta:
        """One for each person and account."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "user"], name="holding_account_user_unique"),
        ]

    def __str__(self) -> str:
        """Show the account's number and what may be done."""
        return f"{self.account_id} {self.rights}"
