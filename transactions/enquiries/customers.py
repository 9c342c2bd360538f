"""A customer's file: what the bank has of them, for staff to read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from accounts.models import Role, User
from accounts.selectors import UnknownPerson, people_named, person_numbered
from core.money import Money
from transactions.branches.asking import ask_everywhere, ask_head_office, refuse_silence_of
from transactions.branches.registry import HEAD_OFFICE
from transactions.ledger.accounts import MOVED, limits_of, standings_of
from transactions.selectors import AccountView, accounts_of


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds an account; None: the head office does not tell who it is."""

    person: User | None
    rights: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLimits:
    """What bounds an account, and what it has spent today; None: no bound."""

    overdraft: Money | None
    daily: Money | None
    transfer: Money | None
    spent: Money


@dataclass(frozen=True, slots=True)
class AccountPeople:
    """An account, and who holds it: its owners first."""

    account: AccountView
    holders: Sequence[Holder]


def customer_numbered(user_id: int) -> User:
    """Return a customer with their home branch, by their user ID.

    Raises:
        UnknownPerson: there is nobody, or they are no customer.
        BranchDown: the head office does not answer.
    """
    found = ask_head_office(lambda source: person_numbered(user_id, using=source))
    if found is None:
        refuse_silence_of(HEAD_OFFICE)
    if found is None or found.role != Role.CUSTOMER:
        raise UnknownPerson
    return found


def people_of_accounts(person: int) -> list[AccountPeople]:
    """Return a person's accounts, each with all who hold it."""
    accounts = accounts_of(person)
    held = holders_of([account.number for account in accounts])
    return [AccountPeople(account, held.get(account.number, [])) for account in accounts]


def holders_of(numbers: Sequence[int]) -> dict[int, list[Holder]]:
    """Return who holds accounts, as their branches say: owners first."""
    stand = dict(
        ask_everywhere(lambda source: list(standings_of(numbers, using=source).items()))
        if numbers
        else []
    )
    held = {
        number: standing.holders for number, standing in stand.items() if standing.status != MOVED
    }
    everybody = {person for people in held.values() for person in people}
    known = ask_head_office(lambda source: people_named(everybody, using=source)) or {}
    return {number: _holders(people, known) for number, people in held.items()}


def limits_of_accounts(
    accounts: Sequence[AccountView], *, day: date
) -> list[tuple[AccountView, AccountLimits]]:
    """Return what bounds accounts, with what they have spent on a day."""
    found = [(account, _limits(account, day)) for account in accounts]
    return [(account, limits) for account, limits in found if limits is not None]


def _limits(account: AccountView, day: date) -> AccountLimits | None:
    found = ask_everywhere(
        lambda source: [
            limits
            for limits in [limits_of(account.number, day=day, using=source)]
            if limits is not None and limits.status != MOVED
        ]
    )
    if not found:
        return None
    limits, currency = found[0], account.currency

    def money(minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, currency)

    return AccountLimits(
        overdraft=money(limits.overdraft_limit),
        daily=money(limits.daily_limit),
        transfer=money(limits.transfer_limit),
        spent=Money(limits.spent, currency),
    )


def _holders(people: Mapping[int, str], known: Mapping[int, User]) -> list[Holder]:
    in_order = sorted(people.items(), key=lambda pair: (pair[1] != "owner", pair[0]))
    return [Holder(known.get(person), rights) for person, rights in in_order]
