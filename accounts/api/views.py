"""Views whose work is at the head office alone."""

from rest_framework.response import Response

from accounts.known import SILENCE, HeadOfficeSilent
from core.api.views import BankView


class HeadOfficeView(BankView):
    """A view that says so when the head office does not answer."""

    def handle_exception(self, exc: Exception) -> Response:
        """Answer with a problem; what of the head office's is silent is to be asked again."""
        return super().handle_exception(HeadOfficeSilent() if isinstance(exc, SILENCE) else exc)
