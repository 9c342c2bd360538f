"""What the bank's commands have in common."""

from django.core.management.base import BaseCommand


class BankCommand(BaseCommand):
    """Starts at once: Django's checks are of the code, and load every page; tests make them."""

    requires_system_checks = ()
