"""What people may see of their accounts: each selector answers one page or one API method."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from accounts.selectors import Identity, identities
from core.money import Money
from core.remembered import Remembered
from transactions.branches.asking import (
    ask_everywhere,
    ask_for_account,
    ask_head_office,
    refuse_silence_of,
)
from transactions.branches.outcomes import BranchDown, OutcomeUnknown, silence_named
from transactions.branches.registry import follow, has_moved, node_of, nodes
from transactions.ledger import history, reads
from transactions.ledger.accounts import MOVED
from transactions.ledger.codes import Code, Refused
from transactions.ledger.reads import (
    EVERYTHING,
    LAST_ID,
    Balance,
    Decision,
    Entry,
    EntryFilter,
    PostedTransfer,
)
from transactions.parties import Party, parties_of


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """An account as its holders see it. ``available`` is None where there is no floor."""

    number: int
    product: str
    branch: str
    currency: str
    status: str
    balance: Money
    held: Money
    available: Money | None


class Movement(NamedTuple):
    """One entry of an account's statement; ``change`` is negative for what went out."""

    account: int
    transfer_id: UUID
    change: Money
    balance_after: Money | None
    counterparty: Party
    kind: str
    channel: str
    memo: str
    event_at: datetime
    recorded_at: datetime

    @property
    def amount(self) -> Money:
        """How much moved, whichever way."""
        return Money(abs(self.change.minor), self.change.currency)

    @property
    def is_out(self) -> bool:
        """Tell whether money went out."""
        return self.change.minor < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferView:
    """A transfer as one of its parties sees it: balances of the other side are not theirs.

    ``is_across``: it went from one branch's node to another's; ``settling``: it is decided, and the
    payee's side is still to come.
    """

    transfer_id: UUID
    debit: Party
    credit: Party
    amount: Money
    kind: str
    channel: str
    memo: str
    event_at: datetime
    recorded_at: datetime
    debit_after: Money | None
    credit_after: Money | None
    reversed_by: UUID | None
    reverses: UUID | None
    settling: bool = False
    is_across: bool = False

    @property
    def is_reversed(self) -> bool:
        """Tell whether it was taken back."""
        return self.reversed_by is not None

    @property
    def is_own(self) -> bool:
        """Tell whether both sides are accounts of whoever looks."""
        return self.debit_after is not None and self.credit_after is not None


def accounts_of(user: int) -> list[AccountView]:
    """Return the accounts that a person holds rights on, by number."""
    held = ask_everywhere(lambda node: reads.balances_of(user, using=node))
    # Where an account has lived before, its row stays behind.
    held = sorted((one for one in held if one.status != MOVED), key=lambda one: one.number)
    known = _identities.of([balance.number for balance in held])
    return [_view(balance, known.get(balance.number)) for balance in held]


def account_of(user: int, *, number: int) -> AccountView:
    """Return one account of a person's.

    Raises:
        Refused: there is none of theirs with this number.
        BranchDown: its branch does not answer.
    """
    return view_of(balance_held(user, number))


def balance_held(user: int, number: int) -> Balance:
    """Return the balance of a person's account.

    Raises:
        Refused: there is none of theirs with this number.
        BranchDown: its branch does not answer.
    """
    found = _held_somewhere(user, number)
    if not found:
        refuse_silence_of(node_of(number))
        raise Refused(Code.UNKNOWN_ACCOUNT)
    return found[0]


def view_of(balance: Balance) -> AccountView:
    """Return an account with what the head office calls it."""
    return _view(balance, _identities.of([balance.number]).get(balance.number))


def held_by(user: int) -> dict[int, str]:
    """Return the currency of each account that a person holds rights on, of nodes that answer."""
    held = ask_everywhere(lambda node: reads.balances_of(user, using=node))
    return {one.number: one.currency for one in held}


def balance_at(user: int, *, number: int, at: datetime) -> Money:
    """Return the balance of a person's account by all that was recorded before an instant.

    The answer never changes: it is asked of the nodes themselves, which wait for what is under way.

    Raises:
        Refused: the person has no such account, or the instant is not past.
        BranchDown: a node on which the account has lived does not answer.
    """
    account = account_of(user, number=number)
    if not has_moved(number):
        return Money(_balance_there(number, at, node_of(number)), account.currency)
    past = EntryFilter(until=at)
    last: list[Entry] = []
    for node in nodes():
        try:
            _balance_there(number, at, node)
        except Refused as refusal:
            if refusal.reason is not Code.UNKNOWN_ACCOUNT:
                raise
        last += reads.entries(number, limit=1, wanted=past, using=node)
    newest = max(last, key=lambda entry: entry.transfer_id, default=None)
    return Money((newest and newest.balance_after) or 0, account.currency)


def latest_movements(numbers: Collection[int], *, limit: int) -> list[Movement]:
    """Return the newest movements over several accounts of a person's."""
    found = ask_everywhere(lambda node: history.latest_of(numbers, limit=limit, using=node))
    newest = sorted(found, key=lambda pair: pair[1].transfer_id, reverse=True)[:limit]
    parties = parties_of([entry.counterparty for _number, entry in newest])
    return [_movement(number, entry, parties) for number, entry in newest]


def entries_of(
    number: int, *, before: UUID, limit: int, wanted: EntryFilter = EVERYTHING
) -> list[Entry]:
    """Return an account's entries, newest first; of all nodes on which it has lived."""
    found = ask_for_account(
        number,
        lambda node: reads.entries(number, before=before, limit=limit, wanted=wanted, using=node),
    )
    return sorted(found, key=lambda entry: entry.transfer_id, reverse=True)[:limit]


def movements_of(number: int, entries: Sequence[Entry]) -> list[Movement]:
    """Return an account's entries as its holders see them, each with the other party's name."""
    parties = parties_of([entry.counterparty for entry in entries])
    return [_movement(number, entry, parties) for entry in entries]


def transfers_of(
    user: int,
    *,
    account: int | None = None,
    currency: str | None = None,
    before: UUID | None,
    limit: int,
    wanted: EntryFilter = EVERYTHING,
) -> list[TransferView]:
    """Return up to ``limit`` transfers from and to a person's accounts, newest first.

    Of one ``account``, or those in a ``currency``, when given.

    Raises:
        Refused: ``account`` is none of theirs.
        BranchDown: it may be, at a branch that does not answer.
    """
    mine = held_by(user)
    if account is not None and account not in mine:
        refuse_silence_of(node_of(account))
        raise Refused(Code.UNKNOWN_ACCOUNT)
    asked = {
        number
        for number, held_in in mine.items()
        if account in {None, number} and currency in {None, held_in}
    }
    found = ask_everywhere(
        lambda node: reads.transfers_of(
            asked, before=before or LAST_ID, limit=limit, wanted=wanted, using=node
        )
    )
    page = sorted(found, key=lambda posted: posted.transfer_id, reverse=True)[:limit]
    parties = parties_of([number for posted in page for number in (posted.debit, posted.credit)])
    return [_transfer_view(posted, parties, mine) for posted in page]


def transfer_of(user: int, *, transfer_id: UUID) -> TransferView:
    """Return a transfer from or to one of a person's accounts.

    Raises:
        Refused: there is none with this id that is theirs to see.
        BranchDown: it may be at a branch that does not answer.
    """
    posted = next(iter(ask_everywhere(lambda node: _posted(transfer_id, node))), None)
    mine = held_by(user)
    if posted is None or mine.keys().isdisjoint({posted.debit, posted.credit}):
        refuse_silence_of(*nodes())
        raise Refused(Code.UNKNOWN_TRANSFER)
    view = _transfer_view(posted, parties_of([posted.debit, posted.credit]), mine)
    return replace(view, settling=posted.is_across and is_settling(transfer_id))


def is_settling(transfer_id: UUID) -> bool:
    """Tell whether a transfer to another node is decided and has not come there yet.

    A node that does not answer has not told that it came.
    """
    decision = next(iter(ask_everywhere(lambda node: _decision(transfer_id, node))), None)
    if decision is None:
        return False
    with suppress(BranchDown, OutcomeUnknown), silence_named(decision.destination):
        return not reads.has_arrived(decision.crossing_id, using=decision.destination)
    return True


def recorded_at(transfer_id: UUID) -> datetime:
    """Return when a transfer was recorded: its id holds it."""
    milliseconds, rest = transfer_id.int >> 80, transfer_id.int >> 64 & 0xFFF
    since = timedelta(milliseconds=milliseconds, microseconds=rest * 1000 // 4096)
    return datetime.fromtimestamp(0, tz=UTC) + since


def _asked_identities(numbers: set[int]) -> dict[int, Identity]:
    return ask_head_office(lambda node: identities(numbers, using=node)) or {}


_identities: Final = Remembered(_asked_identities)


def _posted(transfer_id: UUID, node: str) -> list[PostedTransfer]:
    posted = reads.transfer(transfer_id, using=node)
    return [] if posted is None else [posted]


def _held_somewhere(user: int, number: int) -> list[Balance]:
    found = ask_for_account(number, lambda node: _held(user, number, node))
    if not found:
        found = ask_everywhere(lambda node: _held(user, number, node))
        if found:
            # It has just moved, and this process has not heard of it.
            follow(number)
    return found


def _held(user: int, number: int, node: str) -> list[Balance]:
    balance = reads.balance_of(user, number=number, using=node)
    # Where the account has lived before, its row stays behind.
    return [] if balance is None or balance.status == MOVED else [balance]


def _decision(transfer_id: UUID, node: str) -> list[Decision]:
    decision = reads.decision_of(transfer_id, using=node)
    return [] if decision is None else [decision]


def _balance_there(number: int, at: datetime, node: str) -> int:
    with silence_named(node):
        return reads.balance_at(number, at=at, using=node)


def _transfer_view(
    posted: PostedTransfer, parties: dict[int, Party], mine: Collection[int]
) -> TransferView:
    currency = posted.currency
    return TransferView(
        transfer_id=posted.transfer_id,
        debit=parties[posted.debit],
        credit=parties[posted.credit],
        amount=Money(posted.amount, currency),
        kind=posted.kind,
        channel=posted.channel,
        memo=posted.memo or "",
        event_at=posted.event_at,
        recorded_at=posted.recorded_at,
        debit_after=_money(posted.debit_after, currency) if posted.debit in mine else None,
        credit_after=_money(posted.credit_after, currency) if posted.credit in mine else None,
        reversed_by=posted.reversed_by,
        reverses=posted.reverses,
        is_across=posted.is_across,
    )


def _money(minor: int | None, currency: str) -> Money | None:
    return None if minor is None else Money(minor, currency)


def _view(balance: Balance, identity: Identity | None) -> AccountView:
    currency = balance.currency
    return AccountView(
        number=balance.number,
        product=identity.called if identity else "account",
        branch=identity.branch if identity else "",
        currency=currency,
        status=balance.status,
        balance=Money(balance.balance, currency),
        held=Money(balance.held, currency),
        available=_money(balance.available, currency),
    )


def _movement(number: int, entry: Entry, parties: dict[int, Party]) -> Movement:
    return Movement(
        account=number,
        transfer_id=entry.transfer_id,
        change=Money(entry.change, entry.currency),
        balance_after=_money(entry.balance_after, entry.currency),
        counterparty=parties[entry.counterparty],
        kind=entry.kind,
        channel=entry.channel,
        memo=entry.memo or "",
        event_at=entry.event_at,
        recorded_at=entry.recorded_at,
    )
