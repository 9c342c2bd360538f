"""How pages of the Django admin look: as Unfold's."""

from django.contrib import admin
from unfold.admin import ModelAdmin, TabularInline


class BankAdmin(ModelAdmin, admin.ModelAdmin):  # type: ignore[misc, type-arg]  # not typed; not generic at run time
    """A model's pages."""


class BankInline(TabularInline, admin.TabularInline):  # type: ignore[misc, type-arg]  # not typed; not generic at run time
    """Rows of another model on a model's page."""
