"""The addresses of the bank's first servers' pages: they lead to where the same is today.

To ``/login`` and ``/register`` programs sent forms, which get the page and a session, and JSON,
which gets what the API answers.
"""

from collections.abc import Callable
from typing import Final

from allauth.account.views import login, logout, signup
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.api.auth import LogIn
from accounts.api.registration import SignUp
from portals.customer.page import customer_page, person
from transactions.selectors import accounts_of

View = Callable[[HttpRequest], HttpResponseBase]

# The names of fields today, and what else they were called.
_NAMES: Final = {
    "login": ("email", "username"),
    "email": ("username",),
    "password1": ("password",),
    "full_name": ("name",),
}
# What browsers send with a form, and programs do not.
_OF_BROWSERS: Final = ("Origin", "Referer", "Sec-Fetch-Site")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponseBase:
    """Log somebody in."""
    return _answer(request, page=login, method=LogIn.as_view(), name="account_login")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponseBase:
    """Sign somebody up."""
    return _answer(request, page=signup, method=SignUp.as_view(), name="account_signup")


@require_http_methods(["GET", "HEAD", "POST"])
def log_out(request: HttpRequest) -> HttpResponseBase:
    """Log somebody out who sends the form; show the button to who does not."""
    page: HttpResponseBase = logout(request)
    return page


@require_safe
def home(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # Django passes it
    """Lead to the overview."""
    return redirect("dashboard")


@require_safe
def loan_application(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # Django passes it
    """Lead to where one applies for a loan."""
    return redirect("loan-quote")


@require_safe
def loan_predict(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # Django passes it
    """Lead to where one sees how a loan would look to the bank."""
    return redirect("loan-what-if")


@require_safe
@customer_page
def transactions(request: HttpRequest) -> HttpResponse:
    """Lead to the statement of a person's first account; without one, to their accounts."""
    held = accounts_of(person(request).pk)
    return redirect("statement", held[0].number) if held else redirect("accounts")


@require_safe
def make_transactions(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # Django passes it
    """Lead to the form that sends money."""
    return redirect("transfer-new")


def _answer(request: HttpRequest, *, page: View, method: View, name: str) -> HttpResponseBase:
    if request.method != "POST":
        return redirect(name)
    if request.content_type == "application/json":
        return method(request)
    _read_old_names(request)
    if request.COOKIES or any(header in request.headers for header in _OF_BROWSERS):
        # Another site must not log people in, as somebody else.
        return csrf_protect(page)(request)
    return page(request)


def _read_old_names(request: HttpRequest) -> None:
    """Let the form's fields have the names that the first servers gave them, too."""
    form = request.POST.copy()
    for name, others in _NAMES.items():
        found = [form.get(other) for other in others if other in form]
        if found and name not in form:
            form[name] = str(found[0])
    request.POST = form  # type: ignore[assignment]  # a copy that was changed
