"""Telling people that an endpoint of theirs is sent nothing any more."""

from typing import Final

import structlog
from django.core.mail import send_mail
from django.template.loader import render_to_string

from notifications.webhooks.models import Endpoint

_PORTION: Final = 20
_TEMPLATE: Final = "notifications/webhook_disabled.txt"
_log = structlog.get_logger(__name__)


def tell_owners() -> None:
    """Send a mail to the owner of each endpoint that the bank has disabled, once.

    The mail that cannot be sent is sent the next time. No transaction waits for a mail server.
    """
    untold = Endpoint.objects.filter(is_owner_told=False).select_related("owner")
    for endpoint in untold[:_PORTION]:
        mine = Endpoint.objects.filter(pk=endpoint.pk, is_owner_told=False)
        if mine.update(is_owner_told=True):
            _tell(endpoint)


def _tell(endpoint: Endpoint) -> None:
    email = endpoint.owner.email
    if not email:
        return
    body = render_to_string(_TEMPLATE, {"endpoint": endpoint})
    try:
        send_mail("A webhook of yours was disabled", body, None, [email])
    except OSError as error:
        _log.warning("owner_of_webhook_not_told", webhook=str(endpoint.pk), error=str(error))
        Endpoint.objects.filter(pk=endpoint.pk).update(is_owner_told=False)
