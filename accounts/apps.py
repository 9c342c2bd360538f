"""Django's registration of ``accounts``."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Register ``accounts``."""

    name = "accounts"

    def ready(self) -> None:
        """Hear from the log-in door who a person turned out to be; know what needs approval."""
        from allauth.account.signals import email_confirmed, password_reset

        # Importing is what registers these.
        from accounts import receivers, registering, roles  # noqa: F401

        email_confirmed.connect(registering.on_email_confirmed)
        password_reset.connect(registering.on_password_chosen)
