"""SMS to real phones by Twilio."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import HttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from notifications.channels.sms import SmsNotSentError

TIMEOUT_SECONDS: Final = 10.0
# Too many at once, or the account is not in order: the number itself may be good.
_FOR_NOW: Final = frozenset({401, 402, 403, 408, 429})


@dataclass(frozen=True, kw_only=True)
class TwilioSender:
    """Send from one number of one Twilio account."""

    account: str
    token: str
    number: str
    http: HttpClient = field(default_factory=lambda: TwilioHttpClient(timeout=TIMEOUT_SECONDS))

    def send(self, *, to: str, body: str) -> None:
        """Hand ``body`` to Twilio.

        Raises:
            SmsNotSentError: Twilio refuses it or does not answer. It may have been sent all the
                same when the answer was lost.
        """
        client = Client(self.account, self.token, http_client=self.http)
        try:
            client.messages.create(to=to, from_=self.number, body=body)
        except TwilioRestException as error:
            message = f"Twilio did not take the message: {error.msg} ({error.code})"
            code, is_final = _meaning_of(error)
            raise SmsNotSentError(message, code=code, is_final=is_final) from error
        except (TwilioException, OSError) as error:
            # Whether it was on its way by then nobody can know.
            message = f"Twilio did not take the message: {type(error).__name__}"
            raise SmsNotSentError(message, code="no_answer") from error


def _meaning_of(error: TwilioRestException) -> tuple[str, bool]:
    """Return the delivery log's word for a refusal, and whether it is for good."""
    if error.status in _FOR_NOW or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "refused_for_now", False
    return "refused", True
