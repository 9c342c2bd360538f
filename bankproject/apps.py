"""Django's registration of the project itself."""

import gc

from django.apps import AppConfig


class BankprojectConfig(AppConfig):
    """Make the bank's Celery app the current one, so that every process can send tasks."""

    name = "bankproject"

    def ready(self) -> None:
        """Load the Celery app, and name models in every language."""
        from bankproject.celery import app
        from bankproject.field_names import translate_names

        app.set_default()
        translate_names()
        # As the settings left it: what is loaded stays, and need not be looked through.
        gc.freeze()
        gc.enable()
