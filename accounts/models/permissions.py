"""Who was given which permission: Django's own tables, audited."""

from django.contrib.auth.models import Group

from accounts.audit import audited
from accounts.models.people import User


@audited(app_label="accounts", obj_field=None)
class AuditedGroup(Group):
    """A group of people with the same permissions."""

    class Meta:
        """Django's own table."""

        proxy = True
        default_permissions = ()


@audited(app_label="accounts", obj_field=None)
class GroupPermission(Group.permissions.through):  # type: ignore[misc,name-defined]  # made by Django
    """A permission of a group."""

    class Meta:
        """Django's own table."""

        proxy = True
        default_permissions = ()


@audited(obj_field=None)
class Membership(User.groups.through):  # type: ignore[misc,name-defined]  # made by Django
    """That a person is in a group."""

    class Meta:
        """Django's own table."""

        proxy = True
        default_permissions = ()


@audited(obj_field=None)
class UserPermission(User.user_permissions.through):  # type: ignore[misc,name-defined]  # made by Django
    """A permission of one person."""

    class Meta:
        """Django's own table."""

        proxy = True
        default_permissions = ()
