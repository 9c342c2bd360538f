"""Names of models and fields, as Django makes them of Python's, in the language of the page.

Written at each field they would be a migration each; so they are looked up by what Django makes,
which ``locale/also.pot`` names.
"""

from typing import Any, Final

from django.apps import apps
from django.utils.translation import gettext_lazy

OUR_APPS: Final = frozenset(
    {"accounts", "transactions", "notifications", "core", "loans", "lb", "portals"}
)


def translate_names() -> None:
    """Let our models and their fields be called in the language of whoever looks."""
    for app in apps.get_app_configs():
        if app.label in OUR_APPS:
            app.verbose_name = _translated(app.verbose_name)
    for model in apps.get_models():
        meta: Any = model._meta
        if meta.app_label not in OUR_APPS:
            continue
        if "verbose_name_plural" not in meta.original_attrs:
            meta.verbose_name_plural = f"{meta.verbose_name}s"
        meta.verbose_name = _translated(meta.verbose_name)
        meta.verbose_name_plural = _translated(meta.verbose_name_plural)
        for field in meta.fields:
            field.verbose_name = _translated(field.verbose_name)


def _translated(name: Any) -> Any:
    return gettext_lazy(name) if isinstance(name, str) and name else name
