"""Files of a statement: exactly the rows that its filters leave, all of them."""

from collections.abc import Callable, Iterator
from typing import Final

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from core import clock
from core.errors import DomainError
from portals.customer.page import customer_page, person
from portals.customer.statement_form import StatementForm
from portals.employee.downloads import closed, csv_response
from transactions.statements.camt053 import camt053
from transactions.statements.ofx import ofx
from transactions.statements.rows import table_rows
from transactions.statements.whole import WholeStatement, whole_statement


def _csv(statement: WholeStatement, name: str) -> StreamingHttpResponse:
    return csv_response(f"{name}.csv", closed(table_rows(statement)))


def _ofx(statement: WholeStatement, name: str) -> StreamingHttpResponse:
    return _file(f"{name}.ofx", ofx(statement), "application/x-ofx")


def _camt053(statement: WholeStatement, name: str) -> StreamingHttpResponse:
    return _file(f"{name}.xml", camt053(statement), "application/xml")


FORMATS: Final[dict[str, Callable[[WholeStatement, str], StreamingHttpResponse]]] = {
    "csv": _csv,
    "ofx": _ofx,
    "xml": _camt053,
}


@require_safe
@customer_page
def statement_file(request: HttpRequest, number: int, form: str) -> HttpResponseBase:
    """Answer with all wanted movements of an account as a file of a format."""
    asked = StatementForm(request.GET)
    if asked.is_valid():
        try:
            statement = whole_statement(
                person(request).pk,
                owner=person(request).full_name,
                number=number,
                wanted=asked.wanted,
                now=clock.now(),
            )
        except DomainError as error:
            asked.refuse(error)
        else:
            return FORMATS[form](statement, f"statement-{number}")
    return redirect(f"{reverse('statement', args=[number])}?{asked.query()}")


def _file(name: str, pieces: Iterator[str], kind: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        pieces,
        content_type=f"{kind}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
