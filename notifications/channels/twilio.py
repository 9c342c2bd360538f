"""SMS to real phones by Twilio."""

from dataclasses import dataclass, field
from typing import Final

from twilio.base.exceptions import TwilioException
from twilio.http import HttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from notifications.channels.sms import SmsNotSentError

TIMEOUT_SECONDS: Final = 10.0


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
        except (TwilioException, OSError) as error:
            message = f"Twilio did not take the message: {error}"
            raise SmsNotSentError(message) from error
