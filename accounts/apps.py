"""Django's registration of ``accounts``."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Register ``accounts``."""

    name = "accounts"
