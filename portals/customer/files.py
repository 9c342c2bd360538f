"""Files for customers: statements with exactly the rows that their filters leave, and receipts."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from core import clock
from core.errors import DomainError
from portals.customer.page import customer_page, person
from portals.customer.statement_form import StatementForm
from transactions.selectors import transfer_of
from transactions.statements.files import statement_file
from transactions.statements.pdf import receipt_pdf


@require_safe
@customer_page
def statement(request: HttpRequest, number: int, form: str) -> HttpResponseBase:
    """Answer with all wanted movements of an account as a file of a format."""
    asked = StatementForm(request.GET)
    if asked.is_valid():
        try:
            file = statement_file(
                person(request).pk,
                owner=person(request).full_name,
                number=number,
                wanted=asked.wanted,
                form=form,
                now=clock.now(),
            )
        except DomainError as error:
            asked.refuse(error)
        else:
            return StreamingHttpResponse(
                file.pieces, content_type=file.media_type, headers=_attached(file.name)
            )
    return redirect(f"{reverse('statement', args=[number])}?{asked.query()}")


@require_safe
@customer_page
def receipt(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    """Answer with the receipt of a transfer as a PDF."""
    transfer = transfer_of(person(request).pk, transfer_id=transfer_id)
    made = receipt_pdf(transfer, now=clock.now())
    name = f"receipt-{transfer_id}.pdf"
    return HttpResponse(made, content_type="application/pdf", headers=_attached(name))


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
