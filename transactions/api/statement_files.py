"""Files of statements."""

from functools import partial
from typing import Any, ClassVar

from django.http import StreamingHttpResponse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

from accounts.models import User
from core import clock
from core.api.access import CUSTOMER, Access
from core.api.schema import operation
from core.api.views import BankView, caller_pk
from transactions.api.accounts import known_account_number
from transactions.api.filters import StatementFileFilters
from transactions.statements.files import FORMATS, statement_file
from transactions.statements.filters import wanted_of


class AnythingAccepted(BaseContentNegotiation):
    """The address says which file is wanted, whatever types the caller takes; refusals are JSON."""

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002  # DRF passes it
        renderers: Any,
        format_suffix: str | None = None,  # noqa: ARG002  # DRF passes it
    ) -> Any:
        """Return the renderer of refusals, and its type."""
        return renderers[0], renderers[0].media_type


class StatementFile(BankView):
    """One account's movements as a file."""

    access: ClassVar = {"GET": Access(CUSTOMER, scope="accounts:read")}
    filters = StatementFileFilters
    content_negotiation_class = AnythingAccepted

    @operation(answer=None, files=[one.media_type.partition(";")[0] for one in FORMATS.values()])
    def get(self, request: Request, number: str) -> StreamingHttpResponse:
        """Fetch all wanted entries as a file: PDF, CSV, OFX, CAMT.053 or MT940.

        With filters other than days, the balances do not follow from the entries, and the file says
        so. What breaks off on the way never looks whole. A PDF has room for 10,000 entries.
        """
        account, now = known_account_number(number), clock.now()
        owner = User.objects.only("full_name").get(pk=caller_pk(request))
        file = statement_file(
            owner.pk,
            owner=owner.full_name,
            number=account,
            wanted=partial(wanted_of, self.filtered),
            form=self.filtered.get("format", "csv"),
            now=now,
        )
        headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
        return StreamingHttpResponse(file.pieces, content_type=file.media_type, headers=headers)
