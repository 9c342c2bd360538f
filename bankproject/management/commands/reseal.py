"""Seal what the bank keeps secret under today's key."""

from typing import Any

from accounts import second_factor
from core.management.base import BankCommand
from notifications.webhooks import resealing


class Command(BankCommand):
    """Renew secrets of webhooks and of second factors; safe to break off and to repeat."""

    help = (
        "Seal under SECRET_KEY what was sealed under those of SECRET_KEY_FALLBACKS, which may be"
        " unset afterwards."
    )

    def handle(self, **_options: Any) -> None:
        """Renew them, and say how many there were."""
        found = resealing.reseal_secrets(write=True) + second_factor.reseal_secrets(write=True)
        self.stdout.write(f"{found.anew} secrets are sealed under today's key now")
        if found.lost:
            self.stdout.write(
                f"{found.lost} open under no key that is set: their owners must make them anew"
            )
