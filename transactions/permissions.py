"""What staff may be permitted to do with money. Permissions hang on models; these have no table."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class CashDesk(models.Model):
    """The counter and the machine of a branch, and the cash in them."""

    class Meta:
        """The permissions."""

        managed = False
        default_permissions = ()
        permissions: ClassVar = [
            ("book_cash", _("Can book cash at the counter")),
            ("fill_with_cash", _("Can bring cash from the vault to till and machine")),
        ]
        verbose_name = _("cash desk")
        verbose_name_plural = _("cash desk")

    def __str__(self) -> str:
        """Name it."""
        return "cash desk"


class AccountDesk(models.Model):
    """Where admins open, change and close customers' accounts."""

    class Meta:
        """The permission."""

        managed = False
        default_permissions = ()
        permissions: ClassVar = [
            ("govern_account", _("Can open, change and close customers' accounts")),
        ]
        verbose_name = _("account desk")
        verbose_name_plural = _("account desk")

    def __str__(self) -> str:
        """Name it."""
        return "account desk"
