"""Products, quotes, applications, loans and their repayment, under ``/api/v1/``."""

from http import HTTPStatus
from typing import Any, ClassVar, Final
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.fields import AccountNumberField
from core import clock
from core.api.access import CUSTOMER, Access
from core.api.keys import idempotency_key
from core.api.schema import operation
from core.api.serializers import (
    AmountField,
    ChoiceField,
    CurrencyField,
    IntegerField,
    LineField,
    StrictSerializer,
)
from core.api.views import BankView, caller_pk
from core.errors import DomainError
from core.money import CURRENCIES, Money
from loans.api import answers
from loans.api.numbers import known_loan_number
from loans.applying import (
    LONGEST_PURPOSE,
    LoanWish,
    application_of,
    applications_of,
    save_draft,
    submit,
    withdraw,
)
from loans.models import OFFERED, LoanApplication
from loans.opening import accept_offer
from loans.products import products_in
from loans.quoting import quote
from loans.repaying import RepaymentRequest, payoff_quote, repay_loan
from loans.risk.assessing import score_of
from loans.schedule import MOST_MONTHS
from loans.showing import loan_shown, loans_of
from transactions.services import Channel

_READ: Final = Access(CUSTOMER, scope="accounts:read")
_PEOPLE: Final = Access(CUSTOMER)
_PAY: Final = Access(CUSTOMER, scope="transfers:write")
_ASKED: Final = {"product": "personal", "amount": "120000.00", "currency": "INR", "months": 12}


class QuoteBody(StrictSerializer):
    """What a loan is to be."""

    product = ChoiceField([str(one) for one in OFFERED])
    amount = AmountField()
    currency = CurrencyField()
    months = IntegerField(least=1, most=MOST_MONTHS)


class ApplicationBody(QuoteBody):
    """A loan that is wished for."""

    account = AccountNumberField()
    purpose = LineField(least=1, longest=LONGEST_PURPOSE)
    monthly_income = AmountField()


class RepaymentBody(StrictSerializer):
    """What to pay, and from where. Without ``amount`` all that is owed."""

    account = AccountNumberField()
    amount = AmountField(required=False)
    currency = CurrencyField()


class LoanProductList(BankView):
    """What the bank lends."""

    access: ClassVar = {"GET": _READ}

    @operation(answer=answers.ProductsAnswer, example={"products": [answers.PRODUCT]})
    def get(self, request: Request) -> Response:  # noqa: ARG002  # DRF passes it
        """List the terms on which the bank lends today."""
        found = products_in(CURRENCIES, now=clock.now())
        return Response({"products": [answers.product_shown(one) for one in found]})


class LoanQuote(BankView):
    """What a loan would cost."""

    access: ClassVar = {"POST": _READ}

    @operation(
        answer=answers.QuoteAnswer, example=answers.QUOTE, body=QuoteBody, body_example=_ASKED
    )
    def post(self, request: Request) -> Response:
        """Return what a loan would cost if it were paid out today. Nothing is written."""
        body = QuoteBody.read(request.data)
        amount = Money.parse(body["amount"], body["currency"])
        found = quote(
            product=body["product"], amount=amount, months=body["months"], now=clock.now()
        )
        return Response(answers.quote_shown(found))


class LoanApplicationList(BankView):
    """The caller's applications."""

    access: ClassVar = {"GET": _READ, "POST": _PEOPLE}

    @operation(answer=answers.ApplicationsAnswer, example={"applications": [answers.APPLICATION]})
    def get(self, request: Request) -> Response:
        """List the newest applications that are no loans, up to 50."""
        found = applications_of(caller_pk(request))
        return Response({"applications": [answers.application_shown(one) for one in found]})

    @operation(
        answer=answers.ApplicationAnswer,
        example={**answers.APPLICATION, "state": "draft"},
        status=HTTPStatus.CREATED,
        body=ApplicationBody,
        body_example={
            **_ASKED,
            "account": "100000000017",
            "purpose": "a wedding",
            "monthly_income": "60000.00",
        },
    )
    def post(self, request: Request) -> Response:
        """Write a draft of an application, in place of the one there is for the product."""
        draft = save_draft(caller_pk(request), _wish(request), now=clock.now())
        return Response(answers.application_shown(draft), status=HTTPStatus.CREATED)


class LoanApplicationDetail(BankView):
    """One of the caller's applications."""

    access: ClassVar = {"GET": _READ}

    @operation(answer=answers.ApplicationAnswer, example=answers.APPLICATION)
    def get(self, request: Request, application_id: UUID) -> Response:
        """Show an application."""
        found = application_of(caller_pk(request), application=application_id)
        return Response(_assessed(found))


class LoanApplicationSubmit(BankView):
    """Send a draft in."""

    access: ClassVar = {"POST": _PEOPLE}

    @operation(answer=answers.ApplicationAnswer, example=answers.APPLICATION)
    def post(self, request: Request, application_id: UUID) -> Response:
        """Send a draft in, by the terms of today. Sent in again, it is the same one."""
        sent = submit(caller_pk(request), application=application_id, now=clock.now())
        return Response(_assessed(sent))


class LoanApplicationWithdraw(BankView):
    """Give an application up."""

    access: ClassVar = {"POST": _PEOPLE}

    @operation(
        answer=answers.ApplicationAnswer, example={**answers.APPLICATION, "state": "withdrawn"}
    )
    def post(self, request: Request, application_id: UUID) -> Response:
        """Give an application or an offer up."""
        user = caller_pk(request)
        withdraw(user, application=application_id, now=clock.now())
        return Response(answers.application_shown(application_of(user, application=application_id)))


class LoanApplicationAccept(BankView):
    """Accept an offer."""

    access: ClassVar = {"POST": _PEOPLE}

    @operation(answer=answers.LoanAnswer, example=answers.LOAN)
    def post(self, request: Request, application_id: UUID) -> Response:
        """Accept an offer: the loan is paid out at once. Accepted again, it is the same loan."""
        user, now = caller_pk(request), clock.now()
        loan = accept_offer(user, application=application_id, now=now)
        found = loan_shown(user, number=loan.number, now=now)
        return Response(answers.loan_shown_in_api(found))


class LoanList(BankView):
    """The caller's loans."""

    access: ClassVar = {"GET": _READ}

    @operation(answer=answers.LoansAnswer, example={"loans": [answers.LOAN]})
    def get(self, request: Request) -> Response:
        """List the newest loans, up to 50."""
        found = loans_of(caller_pk(request), now=clock.now())
        return Response({"loans": [answers.loan_shown_in_api(one) for one in found]})


class LoanDetail(BankView):
    """One of the caller's loans."""

    access: ClassVar = {"GET": _READ}

    @operation(answer=answers.LoanAnswer, example=answers.LOAN)
    def get(self, request: Request, loan_number: str) -> Response:
        """Show a loan with its schedule."""
        number = known_loan_number(loan_number)
        found = loan_shown(caller_pk(request), number=number, now=clock.now())
        return Response(answers.loan_shown_in_api(found))


class LoanPayoff(BankView):
    """What it takes to repay a loan."""

    access: ClassVar = {"GET": _READ}

    @operation(answer=answers.PayoffAnswer, example=answers.PAYOFF)
    def get(self, request: Request, loan_number: str) -> Response:
        """Return what it takes to repay the whole loan today."""
        number = known_loan_number(loan_number)
        found = payoff_quote(caller_pk(request), number=number, now=clock.now())
        return Response(answers.payoff_shown(found))


class LoanRepayments(BankView):
    """Pay for a loan."""

    access: ClassVar = {"POST": _PAY}

    @operation(
        answer=answers.RepaymentAnswer,
        example=answers.REPAYMENT,
        status=HTTPStatus.CREATED,
        body=RepaymentBody,
        body_example={"account": "100000000017", "amount": "10690.14", "currency": "INR"},
        keyed=True,
    )
    def post(self, request: Request, loan_number: str) -> Response:
        """Pay for a loan: penalties first, then fees, interest and principal.

        What is more than due is repaid early, and the instalments to come become smaller.
        """
        key = idempotency_key(request)
        body = RepaymentBody.read(request.data)
        number = known_loan_number(loan_number)
        amount, currency = body.get("amount"), body["currency"]
        asked = RepaymentRequest(
            user=caller_pk(request),
            loan=number,
            account=body["account"],
            minor=None if amount is None else Money.parse(amount, currency).minor,
            currency=currency,
            channel=Channel.API,
            key=key,
        )
        done = repay_loan(asked, now=clock.now())
        return Response(answers.repayment_shown(done), status=HTTPStatus.CREATED)


def _assessed(found: LoanApplication) -> dict[str, Any]:
    return {**answers.application_shown(found), **answers.assessment_shown(score_of(found.pk))}


def _wish(request: Request) -> LoanWish:
    body: dict[str, Any] = ApplicationBody.read(request.data)
    return LoanWish(
        product=body["product"],
        account=body["account"],
        amount=Money.parse(body["amount"], body["currency"]),
        months=body["months"],
        purpose=body["purpose"],
        monthly_income=_income(body["monthly_income"], body["currency"]),
    )


def _income(text: str, currency: str) -> Money:
    """Read an income, which may be nothing.

    Raises:
        InvalidAmount
    """
    try:
        return Money.parse(text, currency)
    except DomainError as error:
        if error.code == "amount_not_positive":
            return Money(0, currency)
        if error.field == "amount":
            error.field = "monthly_income"
        raise
