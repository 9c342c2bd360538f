"""All customers' accounts, and what admins do about them."""

from http import HTTPStatus
from typing import Any, ClassVar, Final

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.access_log import note_all_viewed
from accounts.api.approvals import REQUEST, RequestAnswer, request_shown
from accounts.api.callers import caller_of
from accounts.api.fields import AccountNumberField, BranchCodeField, UserIdField
from accounts.audit import acting
from accounts.models import AccountStatus, Product, Rights
from accounts.numbers import InvalidUserId, parse_user_id
from accounts.reasons import LONGEST_REASON, given_reason
from accounts.selectors import UnknownPerson, branch_coded, person_numbered
from core import clock
from core.api.access import ADMIN, EMPLOYEE, Access
from core.api.keys import idempotency_key
from core.api.pages import PageFilters
from core.api.representation import decimal_of, given, instant
from core.api.schema import operation
from core.api.serializers import (
    AmountField,
    BooleanField,
    ChoiceField,
    CurrencyField,
    InstantField,
    LineField,
    ListField,
    StrictSerializer,
    TextField,
)
from core.api.views import BankView, caller_pk
from core.db.reading import silent_nodes
from core.money import currency_named
from transactions.account_desk import (
    AskedStatus,
    ask_status,
    change_rights,
    check_customer,
)
from transactions.api.accounts import known_account_number
from transactions.governing import AccountRequest, open_customer_account
from transactions.ledger.accounts import Status
from transactions.overview import AccountFilter, AccountOverview, account_overview, all_accounts

LOOK: Final = Access(EMPLOYEE, ADMIN, scope="admin:read", permission="accounts.view_account")
GOVERN: Final = Access(ADMIN, scope="admin:write", permission="transactions.govern_account")
_NONE: Final = "none"
_LONGEST_NAME: Final = 60
ACCOUNT: Final = {
    "number": "100000000017",
    "product": "current",
    "branch": "MUM",
    "currency": "INR",
    "status": "open",
    "opened_at": "2026-03-02T09:30:00Z",
    "balance": "12500.00",
    "held": "0.00",
    "available": "12500.00",
    "holders": [{"user_id": "10000000017", "name": "Asha Rao", "rights": "owner"}],
}


class ReasonBody(StrictSerializer):
    """Why."""

    reason = LineField(least=1, longest=LONGEST_REASON)


class OpeningBody(ReasonBody):
    """An account to open for a customer, at balance zero."""

    user_id = UserIdField()
    branch = TextField(help_text="The branch's code.")
    product = ChoiceField(Product.values)
    currency = CurrencyField()
    name = LineField(longest=_LONGEST_NAME, required=False, default="")


class RightsBody(ReasonBody):
    """What a person may do with an account; `none` takes their rights away."""

    rights = ChoiceField([*Rights.values, _NONE])


class AccountFilters(PageFilters):
    """Which accounts."""

    branch = BranchCodeField(required=False, help_text="Code of the branch that opened it.")
    status = ChoiceField(AccountStatus.values, required=False)
    product = ChoiceField(Product.values, required=False)
    currency = CurrencyField(required=False)
    user_id = UserIdField(required=False, help_text="Of one who holds it.")


class HolderAnswer(Serializer[Any]):
    """Somebody who holds an account."""

    user_id = UserIdField()
    name = TextField()
    rights = ChoiceField(Rights.values)


class GovernedAccountAnswer(Serializer[Any]):
    """An account as staff see it. Amounts are missing while its branch does not answer."""

    number = AccountNumberField()
    product = ChoiceField(Product.values)
    branch = TextField()
    currency = CurrencyField()
    name = TextField(required=False)
    status = ChoiceField(AccountStatus.values)
    opened_at = InstantField()
    balance = AmountField(signed=True, required=False)
    held = AmountField(required=False)
    available = AmountField(signed=True, required=False)
    holders = HolderAnswer(many=True)


class GovernedAccountsAnswer(Serializer[Any]):
    """A page of accounts by number, and the branches that do not answer."""

    accounts = GovernedAccountAnswer(many=True)
    has_more = BooleanField()
    next_cursor = TextField(required=False)
    unavailable_branches = ListField(child=TextField(), most=1000, required=False)


class RightsAnswer(Serializer[Any]):
    """The account as it is now, and the approval that a change waits for, if it does."""

    account = GovernedAccountAnswer()
    approval = RequestAnswer(required=False)


class GovernedAccountList(BankView):
    """All customers' accounts."""

    access: ClassVar = {"GET": LOOK, "POST": GOVERN}
    filters = AccountFilters

    @operation(answer=GovernedAccountsAnswer, example={"accounts": [ACCOUNT], "has_more": False})
    def get(self, request: Request) -> Response:
        """List all customers' accounts by number. Who holds them can see that you looked."""
        page = self.page(request)
        found = all_accounts(
            _wanted(self.filtered), after=page.after[0] if page.after else 0, limit=page.sought
        )
        note_look(request, *page.shown(found))
        answer = page.answer(
            "accounts", found, show=_account, position=lambda one: [one.identity.number]
        )
        return Response(given(**answer, unavailable_branches=silent_nodes() or None))

    @operation(
        answer=GovernedAccountAnswer,
        example={**ACCOUNT, "balance": "0.00", "available": "0.00"},
        status=HTTPStatus.CREATED,
        body=OpeningBody,
        body_example={
            "user_id": "10000000017",
            "branch": "MUM",
            "product": "savings",
            "currency": "INR",
            "reason": "asked for at the counter",
        },
        keyed=True,
    )
    def post(self, request: Request) -> Response:
        """Open an account for a customer, at balance zero."""
        key = idempotency_key(request)
        body = _checked(OpeningBody, request)
        currency = currency_named(body["currency"]).code
        owner = person_numbered(body["user_id"])
        check_customer(owner)
        asked = AccountRequest(
            owner=owner,
            branch=branch_coded(body["branch"]),
            product=Product(body["product"]),
            currency=currency,
            client=caller_pk(request),
            key=key,
            name=body["name"],
        )
        reason = given_reason(body["reason"])
        with acting(by=asked.client, credential=caller_of(request).credential, reason=reason):
            opened = open_customer_account(asked, now=clock.now())
        found = account_overview(opened.number)
        note_look(request, found)
        return Response(
            _account(found),
            status=HTTPStatus.CREATED,
            headers={"Location": reverse("api-admin-account", args=[opened.number])},
        )


class GovernedAccountDetail(BankView):
    """One customer's account."""

    access: ClassVar = {"GET": LOOK}

    @operation(answer=GovernedAccountAnswer, example=ACCOUNT)
    def get(self, request: Request, number: str) -> Response:
        """Show an account. Who holds it can see that you looked."""
        return account_answer(request, known_account_number(number))


class AccountFreezing(BankView):
    """Freezing accounts."""

    access: ClassVar = {"POST": GOVERN}

    @operation(
        answer=RequestAnswer,
        example=REQUEST,
        status=HTTPStatus.ACCEPTED,
        body=ReasonBody,
        body_example={"reason": "reported as stolen"},
        keyed=True,
    )
    def post(self, request: Request, number: str) -> Response:
        """Ask that an account is frozen: nothing moves on it. A second admin approves."""
        return _ask_status(request, number, Status.FROZEN)


class AccountUnfreezing(BankView):
    """Opening frozen accounts again."""

    access: ClassVar = {"POST": GOVERN}

    @operation(
        answer=RequestAnswer,
        example=REQUEST,
        status=HTTPStatus.ACCEPTED,
        body=ReasonBody,
        body_example={"reason": "the owner has shown who they are"},
        keyed=True,
    )
    def post(self, request: Request, number: str) -> Response:
        """Ask that a frozen account is opened again. A second admin approves."""
        return _ask_status(request, number, Status.OPEN)


class AccountHolder(BankView):
    """What one person may do with an account."""

    access: ClassVar = {"PUT": GOVERN}

    @operation(
        answer=RightsAnswer,
        example={"account": ACCOUNT, "approval": REQUEST},
        body=RightsBody,
        body_example={"rights": "owner", "reason": "a joint account of the two"},
        keyed=True,
    )
    def put(self, request: Request, number: str, user_id: str) -> Response:
        """Make a person an owner or an authorised person of an account, or neither.

        Who becomes an owner, or ceases to be one, does so once a second admin approves; all else
        is done at once.
        """
        key, account = idempotency_key(request), known_account_number(number)
        body = _checked(RightsBody, request)
        rights = body["rights"]
        approval = change_rights(
            account,
            person=person_numbered(_known_user_id(user_id)),
            rights=None if rights == _NONE else rights,
            admin=caller_of(request),
            key=key,
            reason=body["reason"],
        )
        found = account_overview(account)
        note_look(request, found)
        waits = None if approval is None else request_shown(approval)
        return Response(given(account=_account(found), approval=waits))


def note_look(request: Request, *found: AccountOverview) -> None:
    """Note that a member of staff looks at accounts, for their holders to see."""
    people = {holding.user_id for one in found for holding in one.holders}
    note_all_viewed(viewer=caller_pk(request), subjects=people, what="accounts")


def _checked(kind: type[StrictSerializer], request: Request) -> dict[str, Any]:
    return kind.read(request.data)


def _wanted(filtered: Any) -> AccountFilter:
    return AccountFilter(
        branch=filtered.get("branch"),
        status=filtered.get("status"),
        product=filtered.get("product"),
        currency=filtered.get("currency"),
        holder=filtered.get("user_id"),
    )


def _ask_status(request: Request, number: str, status: AskedStatus) -> Response:
    key, account = idempotency_key(request), known_account_number(number)
    body = _checked(ReasonBody, request)
    approval = ask_status(
        account, status=status, admin=caller_of(request), key=key, reason=body["reason"]
    )
    return Response(request_shown(approval), status=HTTPStatus.ACCEPTED)


def _known_user_id(text: str) -> int:
    """Read a user ID of an address; a mistyped one is nobody's.

    Raises:
        UnknownPerson
    """
    try:
        return parse_user_id(text)
    except InvalidUserId:
        raise UnknownPerson from None


def account_answer(request: Request, number: int) -> Response:
    """Answer with an account as it is now, and note the look."""
    found = account_overview(number)
    note_look(request, found)
    return Response(_account(found))


def _account(one: AccountOverview) -> dict[str, Any]:
    identity, balance = one.identity, one.balance
    amounts = (
        {}
        if balance is None
        else {
            "balance": decimal_of(balance.balance, balance.currency),
            "held": decimal_of(balance.held, balance.currency),
            "available": decimal_of(balance.available, balance.currency),
        }
    )
    return given(
        number=str(identity.number),
        product=identity.product,
        branch=identity.branch.code,
        currency=identity.currency,
        name=identity.name or None,
        status=identity.status,
        opened_at=instant(identity.opened_at),
        **amounts,
        holders=[
            {
                "user_id": str(holding.user.number),
                "name": holding.user.full_name,
                "rights": holding.rights,
            }
            for holding in one.holders
        ],
    )
