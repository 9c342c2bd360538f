"""What tests are about: people and accounts with money in them."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import count
from typing import Final
from uuid import uuid4

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission

from accounts.keys import KeyRequest, make_key
from accounts.models import Branch, Product, Session, SessionKind, User
from accounts.numbers import account_number
from accounts.services import head_office
from accounts.sessions import remember_session
from accounts.standing import epoch_of, remember_standing
from accounts.tokens import tokens_of
from core import clock
from core.money import Money
from transactions.chart import BankAccounts, Place, open_chart
from transactions.governing import AccountRequest, open_customer_account
from transactions.ledger.accounts import Opening, Purpose, open_account, set_holder
from transactions.ledger.posting import BANK_CLIENT, Channel, Kind, Order, Transfer, post

BRANCH: Final = 100
TODAY: Final = date(2026, 3, 2)
TOMORROW: Final = TODAY + timedelta(days=1)

_serials: Final = count(1_000)
_people: Final = count(1)


def inr(minor: int) -> Money:
    """Return an amount in paise."""
    return Money(minor, "INR")


def order(
    *,
    client: int = BANK_CLIENT,
    key: str | None = None,
    day: date = TODAY,
    holder: int | None = None,
) -> Order:
    """Return an order of the bank itself, or of a client, under a key of its own."""
    return Order(
        client=client, channel=Channel.API, day=day, key=key or str(uuid4()), holder=holder
    )


def bank_accounts(currency: str = "INR") -> BankAccounts:
    """Return the bank's own accounts, opened."""
    return open_chart(branch=BRANCH, currency=currency)


def account(  # an account has these sides
    *,
    balance: int = 0,
    currency: str = "INR",
    overdraft_limit: int | None = 0,
    daily_limit: int | None = None,
    running: bool = True,
    owner: User | None = None,
) -> int:
    """Open a customer's account with money in it and return its number."""
    opening = Opening(
        number=account_number(branch=BRANCH, serial=next(_serials)),
        currency=currency,
        purpose=Purpose.CUSTOMER,
        running=running,
        overdraft_limit=overdraft_limit if running else None,
        daily_limit=daily_limit,
    )
    open_account(opening, client=BANK_CLIENT)
    if owner is not None:
        set_holder(opening.number, user=owner.pk, rights="owner", client=BANK_CLIENT)
    if balance:
        vault = bank_accounts(currency).number(Place.VAULT)
        deposit = Transfer(vault, opening.number, Money(balance, currency), Kind.DEPOSIT)
        post(deposit, order=order())
    return opening.number


def customer_account(
    owner: User, *, balance: int = 0, currency: str = "INR", branch: str = ""
) -> int:
    """Open an account that the head office knows, and return its number.

    Money for it comes from the vault of the head office, where it must be then.
    """
    request = AccountRequest(
        owner=owner,
        branch=Branch.objects.get(code=branch) if branch else head_office(),
        product=Product.CURRENT,
        currency=currency,
        client=BANK_CLIENT,
        key=str(uuid4()),
    )
    number = open_customer_account(request, now=instant()).number
    if balance:
        vault = bank_accounts(currency).number(Place.VAULT)
        post(Transfer(vault, number, Money(balance, currency), Kind.DEPOSIT), order=order())
    return number


def person(**fields: object) -> User:
    """Create a customer who can log in with the password ``correct horse battery staple``."""
    defaults: dict[str, object] = {
        "full_name": "Asha Rao",
        "email": f"asha{next(_people)}@example.org",
        "password": _password_hash(),
    }
    return User.objects.create(**{**defaults, **fields})


def checker(**fields: object) -> User:
    """Create an admin who may decide about requests."""
    made = person(**{"role": "admin", "is_staff": True, **fields})
    made.user_permissions.add(Permission.objects.get(codename="decide_approval"))
    return made


@cache
def _password_hash() -> str:
    """Return the hash of everybody's password, made once, since it is slow on purpose."""
    return make_password("correct horse battery staple")


def token_of(user: User) -> str:
    """Return an access token such as the door gives to programs."""
    now = clock.now()
    session = Session.objects.create(
        person=user,
        kind=SessionKind.PROGRAM,
        session_key=uuid4().hex,
        device="tests",
        expires_at=now + timedelta(hours=1),
    )
    remember_session(session)
    remember_standing(user)
    return tokens_of(session, now=now).access


def key_of(user: User, scope: str) -> str:
    """Return an API key with one scope, which sends amounts of up to ten million rupees."""
    now = clock.now()
    asked = KeyRequest(
        name=scope,
        scopes=frozenset({scope}),
        largest_transfer=10**9,
        expires_at=now + timedelta(days=1),
    )
    _key, text = make_key(user.pk, asked, epoch=epoch_of(user), now=now)
    return text


def instant(year: int = 2026, month: int = 3, day: int = 2, hour: int = 12) -> datetime:
    """Return an instant in UTC."""
    return datetime(year, month, day, hour, tzinfo=UTC)
