"""Groups of permissions in the Django admin, as tellers and loan officers are made of."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group

from accounts.admin.look import BankAdmin

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(BankAdmin, DjangoGroupAdmin):
    """Groups, and what who is in them may."""

    # Django's two lists have labels that readers of screens cannot make sense of.
    filter_horizontal = ()
