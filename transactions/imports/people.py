"""Adding the people and accounts of an import to the bank, each once, by the file's own names.

What is in the bank already is left as it is: the bank may have changed it since. All functions need
one transaction around them, under ``lock_imports``, so that a killed import leaves all or nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from secrets import token_hex
from typing import Final, Literal

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX

from accounts.models import Account, Branch, Holding, Product, User
from accounts.numbers import account_number
from transactions.ledger.accounts import (
    CustomerOpening,
    Holder,
    next_serials,
    open_customers,
    set_holders,
)
from transactions.ledger.posting import BANK_CLIENT

HEAD_OFFICE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedPerson:
    """A person of a file. They cannot log in until they are invited."""

    reference: str
    full_name: str
    birth_date: date | None = None
    district: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedAccount:
    """A customer's account of a file."""

    reference: str
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedHolder:
    """What a person may do with an account."""

    person: str
    account: str
    rights: Literal["owner", "authorised"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Customers:
    """All people and accounts of a file, of one currency; no overdraft limit: no floor."""

    people: Sequence[ImportedPerson]
    accounts: Sequence[ImportedAccount]
    holders: Sequence[ImportedHolder]
    currency: str
    overdraft_limit: int | None


def head_office() -> Branch:
    """Return head office, made if this bank has none yet."""
    branch, _ = Branch.objects.get_or_create(
        number=HEAD_OFFICE, defaults={"code": "HO", "name": "Head office"}
    )
    return branch


def add_customers(customers: Customers, *, branch: Branch) -> dict[str, int]:
    """Add what is missing and return the numbers of all accounts by their references."""
    new_people = _add_people(customers.people)
    new_accounts = _add_accounts(customers, branch)
    people = _user_ids(person.reference for person in customers.people)
    numbers = account_numbers(account.reference for account in customers.accounts)
    held = [
        Holder(numbers[holder.account], people[holder.person], holder.rights)
        for holder in customers.holders
        if holder.account in new_accounts or holder.person in new_people
    ]
    set_holders(held, client=BANK_CLIENT)
    Holding.objects.bulk_create(
        [Holding(account_id=one.account, user_id=one.user, rights=one.rights) for one in held],
        update_conflicts=True,
        update_fields=["rights"],
        unique_fields=["account", "user"],
    )
    return numbers


def account_numbers(references: Iterable[str]) -> dict[str, int]:
    """Return the numbers of the accounts that are in the bank, by their references."""
    found = Account.objects.filter(external_reference__in=list(references))
    return {
        reference: number
        for reference, number in found.values_list("external_reference", "number")
        if reference is not None
    }


def _user_ids(references: Iterable[str]) -> dict[str, int]:
    found = User.objects.filter(external_reference__in=list(references))
    return {
        reference: pk
        for reference, pk in found.values_list("external_reference", "pk")
        if reference is not None
    }


def _add_people(people: Sequence[ImportedPerson]) -> set[str]:
    known = _user_ids(person.reference for person in people)
    new = [person for person in people if person.reference not in known]
    User.objects.bulk_create(
        [
            User(
                external_reference=person.reference,
                full_name=person.full_name,
                birth_date=person.birth_date,
                district_id=person.district,
                password=f"{UNUSABLE_PASSWORD_PREFIX}{token_hex(20)}",
            )
            for person in new
        ]
    )
    return {person.reference for person in new}


def _add_accounts(customers: Customers, branch: Branch) -> set[str]:
    known = account_numbers(account.reference for account in customers.accounts)
    new = [account for account in customers.accounts if account.reference not in known]
    numbers = [
        account_number(branch=branch.number, serial=serial) for serial in next_serials(len(new))
    ]
    open_customers(
        [
            CustomerOpening(
                number=number,
                currency=customers.currency,
                product=Product.CURRENT,
                opened_at=account.opened_at,
                external_reference=account.reference,
                overdraft_limit=customers.overdraft_limit,
            )
            for number, account in zip(numbers, new, strict=True)
        ],
        client=BANK_CLIENT,
    )
    Account.objects.bulk_create(
        [
            Account(
                number=number,
                branch=branch,
                product=Product.CURRENT,
                currency=customers.currency,
                opened_at=account.opened_at,
                external_reference=account.reference,
            )
            for number, account in zip(numbers, new, strict=True)
        ]
    )
    return {account.reference for account in new}
