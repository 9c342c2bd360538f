"""Django's registration of the balancer's control plane."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ControlConfig(AppConfig):
    """Register ``lb.control``."""

    name = "lb.control"
    label = "lb"
    verbose_name = _("Load balancer")
