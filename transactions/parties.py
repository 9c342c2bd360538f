"""Whose the accounts on the two sides of a transfer are."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from django.utils.translation import gettext_lazy as _

from accounts.numbers import is_bank_account
from accounts.selectors import names_of
from core.remembered import Remembered
from transactions.branches.asking import ask_everywhere, ask_head_office
from transactions.chart import Place, place_of
from transactions.ledger import reads

_BANK_NAMES: Final = {
    Place.VAULT: _("Vault"),
    Place.NOSTRO: _("Another bank"),
    Place.CLEARING: _("Clearing"),
    Place.FEE_INCOME: _("Bank charges"),
    Place.INTEREST_INCOME: _("Interest"),
    Place.INTEREST_EXPENSE: _("Interest"),
    Place.ROUNDING: _("Rounding"),
    Place.SUSPENSE: _("Suspense"),
    Place.IMPAIRMENT: _("Impairment of loans"),
    Place.RECOVERY_INCOME: _("Recovered loans"),
    Place.TILL: _("Cash desk"),
    Place.MACHINE: _("Cash machine"),
    Place.CLEARING_WITH: _("Another branch"),
}


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a transfer: an account and whose it is; the name is empty when unknown."""

    number: int
    name: str
    is_bank: bool


def payee_of(number: int) -> Party:
    """Return an account to be paid, with enough of its owner's name to notice a mistake."""
    # Asked anew each time: on this name money is sent.
    name = "" if is_bank_account(number) else _asked_names({number}).get(number, "")
    return _shortened(_party(number, name))


def payees_named(numbers: Collection[int]) -> dict[int, Party]:
    """Name accounts that somebody wants to pay, as ``payee_of`` does; half a minute old at most."""
    return {
        number: party if party.is_bank else _shortened(party)
        for number, party in parties_of(numbers).items()
    }


def parties_of(numbers: Collection[int]) -> dict[int, Party]:
    """Name accounts: the bank's own by their place, others by their owner.

    An owner's name may be half a minute old.
    """
    asked = {*numbers}
    people = {number for number in asked if not is_bank_account(number)}
    names = _owners_names.of(people)
    return {number: _party(number, names.get(number, "")) for number in asked}


def _shortened(party: Party) -> Party:
    first, *others = party.name.split() or [""]
    return replace(party, name=" ".join([first, *(f"{other[0]}." for other in others)]))


def _party(number: int, owners_name: str) -> Party:
    if is_bank_account(number):
        return Party(number, str(_BANK_NAMES[place_of(number)]), is_bank=True)
    return Party(number, owners_name, is_bank=False)


def _asked_names(accounts: set[int]) -> dict[int, str]:
    owners = dict(ask_everywhere(lambda node: list(reads.owners_of(accounts, using=node).items())))
    holders = set(owners.values())
    names = ask_head_office(lambda node: names_of(holders, using=node)) or {}
    return {number: names[owner] for number, owner in owners.items() if owner in names}


_owners_names: Final = Remembered(_asked_names)
