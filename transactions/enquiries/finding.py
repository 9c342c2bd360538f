"""One box for all that staff look for: people, accounts, transfers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import Role, User
from accounts.numbers import (
    LENGTH,
    USER_ID_LENGTH,
    InvalidAccountNumber,
    InvalidUserId,
    parse_account_number,
    parse_user_id,
)
from accounts.search import PeoplePage, digits_of, people_found, person_with_email
from accounts.selectors import UnknownPerson, person_numbered
from core.text import one_line
from transactions.branches.asking import ask_everywhere, ask_head_office
from transactions.enquiries.transfers import FoundTransfer, transfer_known, transfers_under
from transactions.ledger import reads
from transactions.ledger.codes import Refused

LONGEST_TEXT: Final = 120
_LONGEST_REFERENCE: Final = 64
_MOST_TRANSFERS: Final = 20
_NOBODY: Final = PeoplePage(people=[], onward=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a text leads to: one thing that it names, or lists to choose from.

    ``hint`` says what is wrong with a number or id that names nothing.
    """

    person: User | None = None
    account: int | None = None
    transfer: FoundTransfer | None = None
    people: PeoplePage = _NOBODY
    transfers: Sequence[FoundTransfer] = field(default_factory=list)
    hint: str = ""


def find(text: str, *, after: tuple[str, int] | None, limit: int) -> Found:
    """Find what a text names: a user ID, account, e-mail address, transfer or reference, at once.

    Else list up to ``limit`` customers by name, e-mail or telephone, those ``after`` a name and a
    key, and the transfers under a reference.

    Raises:
        InvalidText: the text is too long, or not one line.
    """
    wanted = one_line(text, longest=LONGEST_TEXT, field="q")
    named = Found() if after else _named(wanted)
    if named.person or named.account or named.transfer:
        return named
    people = ask_head_office(
        lambda source: people_found(wanted, after=after, limit=limit, using=source)
    )
    is_reference = after is None and 0 < len(wanted) <= _LONGEST_REFERENCE
    transfers = transfers_under(wanted, limit=_MOST_TRANSFERS) if is_reference else []
    people = people or _NOBODY
    if len(transfers) == 1 and not people.people:
        return Found(transfer=transfers[0])
    # What is no user ID may be a telephone number.
    is_something = bool(people.people or transfers)
    return Found(people=people, transfers=transfers, hint="" if is_something else named.hint)


def _named(text: str) -> Found:
    digits = digits_of(text)
    if "@" in text:
        return Found(person=ask_head_office(lambda source: person_with_email(text, using=source)))
    if len(digits) == USER_ID_LENGTH:
        return _numbered(digits)
    if len(digits) == LENGTH:
        return _account(digits)
    try:
        return Found(transfer=transfer_known(UUID(text)))
    except ValueError:
        return Found()
    except Refused:
        return Found(hint=_("There is no transfer with this id."))


def _numbered(digits: str) -> Found:
    """Return the customer with a user ID, or what is wrong with it."""
    try:
        number = parse_user_id(digits)
        found = ask_head_office(lambda source: person_numbered(number, using=source))
    except InvalidUserId:
        return Found(hint=_("As a user ID, this has a wrong check digit: one digit is mistyped."))
    except UnknownPerson:
        found = None
    if found is None or found.role != Role.CUSTOMER:
        return Found(hint=_("No customer has this user ID."))
    return Found(person=found)


def _account(digits: str) -> Found:
    """Return the account with a number, or what is wrong with it."""
    try:
        number = parse_account_number(digits)
    except InvalidAccountNumber:
        return Found(
            hint=_("As an account number, this has a wrong check digit: one digit is mistyped.")
        )
    if ask_everywhere(lambda source: reads.balances([number], using=source)):
        return Found(account=number)
    return Found(hint=_("There is no account with this number."))
