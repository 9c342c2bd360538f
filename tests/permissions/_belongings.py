"""What customer A has: an id of A's for every address that names one, and for bodies."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django.core.cache import cache

from accounts.callers import Caller
from accounts.cards.numbers import digest_of
from accounts.known import forget_all
from accounts.models import (
    Account,
    ApiKey,
    Approval,
    Branch,
    Card,
    CredentialChange,
    Holding,
    Session,
    StatusChange,
    User,
    Viewing,
)
from accounts.models.audit_entries import AuditEntry
from core import clock
from lb.control.models import Backend
from loans.models import LoanApplication, LoanTerms
from loans.opening import accept_offer
from notifications.messages.models import Message
from notifications.webhooks.models import Delivery, Endpoint, Event
from notifications.webhooks.signing import new_secret, seal
from tests.factories import BRANCH, account, inr, instant, order, person
from tests.openapi import Operation
from tests.pain001 import Wish, pain001
from tests.permissions._routes import Route
from transactions.bulk.files import receive_file
from transactions.calendars.models import Holiday
from transactions.card_payments.authorising import Authorisation, authorise_payment
from transactions.closing.models import BankDay
from transactions.disputes.models import Dispute
from transactions.fraud.findings import Finding, Rule
from transactions.fraud.raising import alert_id, raise_alerts
from transactions.holding import HoldRequest, place_hold
from transactions.ledger.accounts import set_holder
from transactions.ledger.posting import BANK_CLIENT, Transfer, post
from transactions.payments.models import Payee, ScheduledTransfer, StandingOrder
from transactions.products.models import ProductTerms


@dataclass(frozen=True, kw_only=True)
class Belongings:
    """Ids of A's, by name of the parameter, and for a route that means another by that name."""

    account: int
    other_account: int
    ids: Mapping[str, str]
    ids_by_route: Mapping[str, Mapping[str, str]]

    def ids_of(self, route: Route) -> dict[str, str]:
        """Return the ids to stand in a route's address."""
        return {**self.ids, **self.ids_by_route.get(route.name, {})}

    def body_of(self, operation: Operation) -> Any:
        """Return an operation's example with A's accounts in it."""
        return _with_accounts(operation.body_example, self.account, self.other_account)

    @staticmethod
    def forget_changes() -> None:
        """Let the cache forget what was told of changes that were rolled back."""
        cache.clear()
        forget_all()


def belongings_of(people: Mapping[str, User]) -> Belongings:
    """Give customer A one of everything, and the authorised person rights on A's account."""
    owner, somebody = people["customer A"], person()
    mine, other = account(owner=owner, balance=500_000), account(owner=somebody)
    account(owner=people["customer B"], balance=500_000)
    set_holder(mine, user=people["authorised"].pk, rights="authorised", client=BANK_CLIENT)
    _identify(mine, owner)
    Holding.objects.create(account_id=mine, user=people["authorised"], rights="authorised")
    _identify(other, somebody)
    owner.refresh_from_db()
    approval = _approval(people["admin"], owner)
    _ask_reversal(owner)
    door = _of_the_door(owner)
    terms, application, loan = _lending(owner, mine)
    card, payment = _card(owner, mine, by=people["superadmin"])
    return Belongings(
        account=mine,
        other_account=other,
        ids={
            **_of_payments(owner, mine, other),
            **door,
            "approval_id": approval,
            "application_id": application,
            "loan_number": loan,
            "backend_id": _backend(),
            "alert_id": _alert(mine),
            "card_id": card,
            "payment_id": payment,
        },
        ids_by_route={
            "api-payee-confirmation": {"number": str(other)},
            **_of_people(owner, people["employee"], approval),
            **_of_the_bank(),
            **_of_alerts(mine),
            **_of_disputes(owner, mine),
            **_in_the_admin(
                loans_loanterms=terms,
                loans_loanapplication=application,
                loans_loan=loan,
                accounts_account=str(mine),
                accounts_card=card,
                notifications_message=_message(owner),
                **_of_webhooks(door),
                transactions_cardpayment=payment,
            ),
            "admin:card_block": {"pk": card},
        },
    )


def _of_payments(owner: User, mine: int, other: int) -> dict[str, str]:
    """Let A pay, set aside, order and save payees; return the ids."""
    return {
        "number": str(mine),
        "transfer_id": _transfer(mine, other, owner),
        "hold_id": _hold(mine, other, owner),
        "payee_id": _payee(owner, other),
        "file_id": _payment_file(owner, mine, other),
        "order_id": _standing_order(owner, mine, other),
        "scheduled_id": _scheduled(owner, mine, other),
    }


def _of_the_door(owner: User) -> dict[str, str]:
    """Return the ids of A, of A's session, key and webhook."""
    endpoint, delivery = _webhook(owner)
    return {
        "user_id": str(owner.number),
        "session_id": str(Session.objects.get(person=owner).pk),
        "key_id": str(ApiKey.objects.filter(person=owner)[0].pk),
        "endpoint_id": endpoint,
        "delivery_id": delivery,
    }


def _of_webhooks(door: Mapping[str, str]) -> dict[str, str]:
    return {
        "notifications_endpoint": door["endpoint_id"],
        "notifications_delivery": door["delivery_id"],
    }


def _of_people(owner: User, staff: User, approval: str) -> dict[str, dict[str, str]]:
    """Return the ids of pages about branches, people and what was asked about them."""
    branch = {
        page: {"code": "HO"}
        for page in ("staff-branch", "staff-branch-day", "staff-branch-day-file")
    }
    person_pages = {
        f"admin:person_{page}": {"pk": str(owner.pk)} for page in ("status", "role", "invitation")
    }
    return {
        **branch,
        **person_pages,
        "admin:accounts_branch_history": {"object_id": str(Branch.objects.all()[0].pk)},
        **_in_the_admin(
            accounts_approval=approval,
            accounts_auditentry=_audit_entry(owner),
            accounts_credentialchange=_credential_change(owner),
            accounts_statuschange=_status_change(owner),
            accounts_user=str(owner.pk),
            accounts_viewing=_look(owner, staff),
        ),
    }


def _in_the_admin(**keys: str) -> dict[str, dict[str, str]]:
    """Return the ids of the admin's pages about rows, by their models."""
    return {
        f"admin:{model}_{page}": {"object_id": key, "pk": key}
        for model, key in keys.items()
        for page in ("change", "history")
    }


def _identify(number: int, owner: User) -> None:
    branch, _is_new = Branch.objects.get_or_create(
        number=BRANCH, defaults={"code": "HO", "name": "Head office"}
    )
    found = Account.objects.create(
        number=number, branch=branch, product="current", currency="INR", opened_at=instant()
    )
    Holding.objects.create(account=found, user=owner, rights="owner")


def _of_the_bank() -> dict[str, dict[str, str]]:
    """Make a day, a holiday and terms; return their ids by the routes that tell them."""
    now = clock.now()
    day = BankDay.objects.create(day=now.date(), begun_at=now)
    day.steps.create(name="fees", items=1, amounts={"INR": 500}, finished_at=now)
    made = (
        day,
        Holiday.objects.create(day=now.date(), name="Holi", added_at=now),
        ProductTerms.objects.create(
            product="savings",
            currency="INR",
            effective_from=now.date(),
            rate_ppm=0,
            monthly_fee=0,
        ),
    )
    return {
        f"admin:transactions_{one._meta.model_name}_{page}": {"object_id": str(one.pk)}
        for one in made
        for page in ("change", "history")
    }


def _lending(owner: User, account: int) -> tuple[str, str, str]:
    """Lend to somebody, and take another application; return the ids of all, the terms first."""
    terms = LoanTerms.objects.create(
        product="personal",
        currency="INR",
        effective_from=instant().date(),
        method="annuity",
        rate_ppm=120_000,
        least_amount=1_000_00,
        most_amount=10**9,
        least_months=6,
        most_months=60,
    )
    now = clock.now()
    asked = {
        "applicant": owner,
        "account": account,
        "terms": terms,
        "amount": 1_000_00,
        "months": 12,
        "purpose": "test",
        "monthly_income": 0,
        "created_at": now,
    }
    offer = LoanApplication.objects.create(
        **asked, state="offered", offered_until=now.date() + timedelta(days=7)
    )
    loan = accept_offer(owner.pk, application=offer.pk, now=now)
    waiting = LoanApplication.objects.create(**asked, state="submitted", submitted_at=now)
    return str(terms.pk), str(waiting.pk), str(loan.pk)


def _card(owner: User, number: int, *, by: User) -> tuple[str, str]:
    """Let A have the card of the examples, and charge it; return the ids of card and payment."""
    card = Card.objects.create(
        id=uuid4(),
        person=owner,
        account_id=number,
        kind="debit",
        tier="classic",
        state="active",
        last_four="7898",
        number_digest=digest_of("9356001234567898"),
        expires_on=date(2030, 3, 31),
        payment_limit=10**9,
        daily_limit=10**9,
        monthly_limit=10**9,
        issued_at=clock.now(),
    )
    asked = Authorisation(
        key=str(uuid4()),
        card_number="9356001234567898",
        expires=date(2030, 3, 1),
        amount=inr(100_000),
        merchant="Bookshop",
    )
    charging = Caller(pk=by.pk, role=by.role, scopes=None, via="session", credential="test")
    payment, _is_new = authorise_payment(charging, asked, now=clock.now())
    return str(card.pk), str(payment.pk)


def _audit_entry(owner: User) -> str:
    found = AuditEntry.objects.tracks(owner)  # type: ignore[no-untyped-call]
    return str(found.order_by("pgh_created_at").first().pk)


def _status_change(owner: User) -> str:
    changed = StatusChange.objects.create(person=owner, status="active", reason="back from abroad")
    return str(changed.pk)


def _look(owner: User, staff: User) -> str:
    noted = Viewing.objects.create(subject=owner, viewer=staff, what="personal data")
    return str(noted.pk)


def _message(owner: User) -> str:
    now = clock.now()
    sent = Message.objects.create(
        person=owner,
        kind="log_in",
        channel="email",
        to=str(owner.email),
        template="notice",
        created_at=now,
        next_attempt_at=now,
    )
    return str(sent.pk)


def _credential_change(owner: User) -> str:
    return str(CredentialChange.objects.filter(person=owner)[0].pk)


def _transfer(debit: int, credit: int, owner: User) -> str:
    sent = Transfer(debit, credit, inr(100))
    return str(post(sent, order=order(client=owner.pk)).transfer_id)


def _hold(debit: int, credit: int, owner: User) -> str:
    wanted = HoldRequest(
        user=owner.pk,
        key=str(uuid4()),
        account=debit,
        payee=credit,
        amount=inr(100),
        expires_at=clock.now() + timedelta(days=1),
    )
    return str(place_hold(wanted, now=clock.now()).hold_id)


def _payee(owner: User, number: int) -> str:
    saved = Payee.objects.create(
        user=owner, account=number, currency="INR", nickname="B", added_at=clock.now()
    )
    return str(saved.pk)


def _payment_file(owner: User, debit: int, credit: int) -> str:
    content = pain001([Wish(debit, credit, "1.00", memo="wages")])
    file = receive_file(owner.pk, content=content, name="wages.xml", now=clock.now())
    return str(file.pk)


def _standing_order(owner: User, debit: int, credit: int) -> str:
    day = clock.bank_day(clock.now()) + timedelta(days=7)
    given = StandingOrder.objects.create(
        user=owner,
        key="rent",
        debit=debit,
        credit=credit,
        amount=100,
        currency="INR",
        frequency="monthly",
        month_end=False,
        weekend="same",
        first_date=day,
        next_date=day,
        pay_date=day,
        created_at=clock.now(),
    )
    return str(given.pk)


def _scheduled(owner: User, debit: int, credit: int) -> str:
    queued = ScheduledTransfer.objects.create(
        user=owner,
        key="later",
        debit=debit,
        credit=credit,
        amount=100,
        currency="INR",
        queued_at=clock.now(),
        not_before=clock.now(),
    )
    return str(queued.pk)


def _webhook(owner: User) -> tuple[str, str]:
    now = clock.now()
    endpoint = Endpoint.objects.create(
        owner=owner,
        url="https://hooks.example.org/bank",
        event_types=["transfer.debited"],
        secret=seal(new_secret()),
        created_at=now,
    )
    event = Event.objects.create(
        id=uuid4(), owner=owner, type="transfer.debited", occurred_at=now, data={}, recorded_at=now
    )
    delivery = Delivery.objects.create(
        event=event, endpoint=endpoint, next_attempt_at=now, created_at=now
    )
    return str(endpoint.pk), str(delivery.pk)


def _backend() -> str:
    now = clock.now()
    made = Backend.objects.create(
        name="api-1", host="127.0.0.1", port=8_001, state_since=now, registered_at=now
    )
    return str(made.pk)


def _alert(account: int) -> str:
    found = Finding(
        rule=Rule.VELOCITY,
        at=clock.now(),
        facts={"count": 12, "minutes": 10, "usual": 2},
        account=account,
    )
    raise_alerts([found], now=clock.now())
    return str(alert_id(found))


def _of_alerts(account: int) -> dict[str, dict[str, str]]:
    alert = _alert(account)
    return {
        **{
            f"admin:transactions_fraudalert_{page}": {"object_id": alert}
            for page in ("change", "history")
        },
        "admin:fraud_decide": {"pk": alert},
    }


def _of_disputes(owner: User, account: int) -> dict[str, dict[str, str]]:
    asked = Dispute.objects.create(
        transfer_id=uuid4(), account=account, person=owner, why="twice", opened_at=clock.now()
    )
    key = str(asked.pk)
    pages = {f"admin:dispute_{page}": {"pk": key} for page in ("take", "answer")}
    return {**pages, **_in_the_admin(transactions_dispute=key)}


def _approval(maker: User, about: User) -> str:
    payload = {"person": about.pk, "user_id": str(about.number), "role": "employee"}
    asked = Approval.objects.create(
        action="accounts.change_role", payload=payload, reason="hired", maker=maker
    )
    return str(asked.pk)


def _ask_reversal(owner: User) -> None:
    payload = {"transfer_id": str(uuid4())}
    Approval.objects.create(
        action="transactions.reverse_transfer", payload=payload, reason="sent twice", maker=owner
    )


def _with_accounts(example: Any, mine: int, other: int) -> Any:
    today = clock.bank_day(clock.now())
    month_end = (today.replace(day=1) + timedelta(days=62)).replace(day=1) - timedelta(days=1)
    places = {
        "debit_account": mine,
        "account": mine,
        "credit_account": other,
        "payee_account": other,
        "first_date": month_end,
        "last_date": month_end + timedelta(days=365),
    }
    if isinstance(example, list):
        return [_with_accounts(one, mine, other) for one in example]
    if isinstance(example, dict):
        return {
            name: str(places[name]) if name in places else _with_accounts(value, mine, other)
            for name, value in example.items()
        }
    return example
