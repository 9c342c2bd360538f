"""Django's registration of ``transactions``."""

from django.apps import AppConfig


class TransactionsConfig(AppConfig):
    """Register ``transactions``."""

    name = "transactions"
