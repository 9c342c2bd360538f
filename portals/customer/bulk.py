"""Files of payments: given, checked, sent once, and what came of each payment."""

from functools import partial
from typing import Final
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.step_up import StepUpRequired, WrongStepUpCode
from core import clock
from core.errors import DomainError
from portals.customer.page import REFUSED, caller, customer_page, person
from portals.step_up import CodeField, code_field, typed_step_up
from transactions.bulk.files import bulk_file, bulk_files, receive_file, send_file
from transactions.bulk.pain001 import MOST_BYTES
from transactions.services import Channel

_MOST_SHOWN: Final = 20


class PaymentFileForm(forms.Form):
    """A file of payments."""

    file = forms.FileField(
        label=gettext_lazy("File (pain.001)"),
        help_text=gettext_lazy("XML of ISO 20022, up to 1,000 payments and 2 MiB."),
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".xml,application/xml,text/xml"}),
        error_messages={"required": gettext_lazy("Choose a file, of 2 MiB at most.")},
    )

    def refuse(self, error: DomainError) -> None:
        """Show why the file was not taken."""
        self.add_error("file", ValidationError(error.message, code=error.code))


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def payment_files(request: HttpRequest) -> HttpResponse:
    """Take a file of payments, which is checked on the next page; show the newest ones."""
    form = PaymentFileForm()
    if request.method == "POST":
        form = PaymentFileForm(request.POST, request.FILES)
        if form.is_valid():
            given = form.cleaned_data["file"]
            try:
                file = receive_file(
                    person(request).pk,
                    content=given.read(MOST_BYTES + 1),
                    name=given.name or "",
                    now=clock.now(),
                )
            except DomainError as error:
                form.refuse(error)
            else:
                return redirect("payment-file", file_id=file.pk)
    files = bulk_files(person(request).pk, most=_MOST_SHOWN)
    status = REFUSED if form.errors else 200
    return render(
        request, "customer/payment_files.html", {"form": form, "files": files}, status=status
    )


@require_safe
@customer_page
def payment_file(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """Show what a file would send, or what came of each of its payments."""
    return _page(request, file_id)


@require_POST
@customer_page
def send(request: HttpRequest, file_id: UUID) -> HttpResponse:
    """Send the payments of a file, once, and go back to it: it is its own receipt."""
    try:
        send_file(
            caller(request),
            file_id=file_id,
            channel=Channel.WEB,
            step_up=partial(typed_step_up, request, what=file_id),
            now=clock.now(),
        )
    except (StepUpRequired, WrongStepUpCode) as error:
        return _page(request, file_id, status=REFUSED, code=code_field(request, error))
    except DomainError as error:
        return _page(request, file_id, status=error.http_status, refusal=str(error.message))
    return redirect("payment-file", file_id=file_id)


def _page(
    request: HttpRequest,
    file_id: UUID,
    *,
    status: int = 200,
    code: CodeField | None = None,
    refusal: str = "",
) -> HttpResponse:
    shown = bulk_file(person(request).pk, file_id=file_id)
    words = {
        "ready": ("", ""),
        "posted": ("good", _("Sent")),
        "refused": ("bad", _("Not sent")),
        "faulty": ("bad", _("Not sent")),
        "unanswered": ("wait", _("No answer yet")),
    }
    context = {
        "shown": shown,
        "rows": [{"payment": one, "state": words[one.status]} for one in shown.payments],
        "sent": shown.counted("posted"),
        "not_sent": shown.counted("refused", "faulty"),
        "unanswered": shown.counted("unanswered"),
        "code_field": code,
        "refusal": refusal,
    }
    return render(request, "customer/payment_file.html", context, status=status)
