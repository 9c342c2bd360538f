"""The journal of all nodes, to look at: newest first, page by page after a row."""

from typing import Any, Final, cast
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access_log import note_accounts_viewed
from portals.administration.page import admin_page, shown
from portals.customer.page import person
from portals.employee.forms import OperationForm
from portals.templatetags.bank import what
from transactions.operations import WHATS, Action, operations

_PAGE: Final = 50
_REFUSED: Final = 422


class JournalForm(OperationForm):
    """Which rows of the journal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What is done to accounts without a posting stands in the operation log.
        kinds = [(str(one), what(one)) for one in WHATS if not isinstance(one, Action)]
        cast("forms.ChoiceField", self.fields["what"]).choices = [("", _("all")), *kinds]


@require_safe
@admin_page()
def journal(request: HttpRequest) -> HttpResponse:
    """Show a page of the journal; whose accounts stand there is told who looked."""
    form = JournalForm(request.GET)
    if not form.is_valid():
        return shown(request, "journal", _("Journal"), status=_REFUSED, form=form)
    before: UUID | None = form.cleaned_data["before"]
    page = operations(form.wanted(cleared_at=None, postings_only=True), before=before, limit=_PAGE)
    numbers = {
        number for row in page.operations for number in (row.account, row.counterparty) if number
    }
    note_accounts_viewed(viewer=person(request).pk, numbers=numbers, what="journal")
    return shown(
        request,
        "journal",
        _("Journal"),
        form=form,
        page=page,
        is_newest=before is None,
        query=_query(request),
        older=_query(request, before=str(page.older)) if page.older else None,
    )


def _query(request: HttpRequest, **more: str) -> str:
    """Return what is looked for as the query of an address, from its newest page on."""
    query = QueryDict(mutable=True)
    asked = {name: request.GET.get(name, "") for name in JournalForm.base_fields}
    query.update({name: text for name, text in asked.items() if text and name != "before"})
    query.update(more)
    return query.urlencode()
