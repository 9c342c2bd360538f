"""The bank's days in the Django admin, to look at: what each step made, and the position."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin.look import BankInline
from accounts.admin.readonly import ReadOnlyAdmin
from core.money import Money
from transactions.closing.models import BankDay, ClosingStep


class StepInline(BankInline):
    """What was done for a day."""

    model = ClosingStep
    fields = ("name", "items", "amount", "missing", "finished_at")
    readonly_fields = fields
    verbose_name_plural = gettext_lazy("steps")
    hide_title = True
    can_delete = False
    max_num = 0
    extra = 0

    @admin.display(description=gettext_lazy("amounts"))
    def amount(self, step: ClosingStep) -> str:
        """Show what the step moved."""
        return _amounts(step.amounts)

    @admin.display(description=gettext_lazy("left out"))
    def missing(self, step: ClosingStep) -> str:
        """Show what the step could not do, and why."""
        return ", ".join(
            f"{count} {reason.replace('_', ' ')}" for reason, count in step.left_out.items()
        )


@admin.register(BankDay)
class BankDayAdmin(ReadOnlyAdmin):
    """Days, the latest first."""

    list_display = ("day", "state", "customers", "closed_at")
    date_hierarchy = "day"
    fields = ("day", "state", "begun_at", "closed_at", "customers", "in_transit")
    readonly_fields = fields
    inlines = (StepInline,)

    @admin.display(description=gettext_lazy("state"))
    def state(self, day: BankDay) -> str:
        """Show how far a day is, and whether the books agreed at its end."""
        if day.position is None:
            return _("being closed")
        return _("closed") if day.position["is_sound"] else _("closed, the position is not sound")

    @admin.display(description=gettext_lazy("customers' money"))
    def customers(self, day: BankDay) -> str:
        """Show what customers had when the day was closed."""
        return _amounts((day.position or {}).get("customers", {}))

    @admin.display(description=gettext_lazy("in transit"))
    def in_transit(self, day: BankDay) -> str:
        """Show what was on its way between nodes: nothing, since a position waits for it."""
        return _amounts((day.position or {}).get("in_transit", {}))


def _amounts(by_currency: dict[str, Any]) -> str:
    return ", ".join(str(Money(minor, name)) for name, minor in sorted(by_currency.items()))
