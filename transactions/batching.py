"""Many transfers in one request, each with its own result.

A request falls into parts by what the account numbers say: one for each node, and one for each pair
of nodes that money crosses. Each part is one posting under a key of its own, and stays the same
part however often the request is sent: so sending it again posts just the parts that are missing.

A part goes to the nodes that the numbers name, also where an account has moved since. There its
items are refused, for that reason and for good, and are then posted where the account lives, as
``chains`` does: each under a key of its own, whose answer moves along with the account.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.callers import Caller
from accounts.numbers import is_bank_account
from accounts.step_up import require_step_up
from core.api.step_up import StepUp
from core.clock import bank_day
from core.db.errors import Busy
from core.db.reading import note_used
from core.errors import DomainError
from core.money import Money
from transactions.branches.batches import answered_batch_across, post_batch_across
from transactions.branches.outcomes import BranchDown, OutcomeUnknown, silence_named
from transactions.branches.recovery import has_arrived
from transactions.branches.registry import home_of, nodes
from transactions.chains import LinkedAcrossBranches, post_moved
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import BatchReceipt, Channel, Order, Transfer, post_batch
from transactions.ledger.reads import keys_used
from transactions.policy import check_key_limit, needs_step_up

MOST_TRANSFERS: Final = 10_000
_UNANSWERED: Final = (BranchDown, Busy, OutcomeUnknown)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """A person's wish to make many transfers. The ``key`` makes sending it twice harmless."""

    user: int
    key: str
    channel: Channel
    transfers: Sequence[Transfer]


@dataclass(slots=True, kw_only=True)
class BatchResult:
    """What came of each transfer, by its place from 0: its id, or why it was not made.

    ``replayed``: all of it was made before. ``settling``: some of it is decided, and the payees'
    side still to come.
    """

    ids: dict[int, UUID] = field(default_factory=dict)
    faults: dict[int, DomainError] = field(default_factory=dict)
    replayed: bool = True
    settling: bool = False

    @property
    def unanswered(self) -> list[int]:
        """The places of those that the same request, sent again, will make or see refused."""
        return [place for place, fault in self.faults.items() if isinstance(fault, _UNANSWERED)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What one node, or one pair of nodes, posts at once; ``places`` are those in the request."""

    source: str
    destination: str
    key: str
    places: Sequence[int]
    transfers: Sequence[Transfer]


def post_transfers_as(
    caller: Caller, request: BatchRequest, *, step_up: Callable[[], StepUp], now: datetime
) -> BatchResult:
    """Make many transfers for a caller of the API, as ``post_transfers`` does.

    For people their sum counts, for an API key the largest.

    Raises:
        KeyLimitExceeded, StepUpRequired, WrongStepUpCode
        and what ``post_transfers`` raises
    """
    for place, transfer in _largest(request.transfers):
        check_key_limit(caller, transfer.amount, field=f"transfers/{place}/amount")
    if any(needs_step_up(caller, total) for total in _totals(request.transfers)):
        parts = _parts(request)
        if not {part.key for part in parts} <= _keys_used(request, parts):
            require_step_up(caller.pk, action="send money", **asdict(step_up()), now=now)
    return post_transfers(request, now=now)


def post_transfers(request: BatchRequest, *, now: datetime) -> BatchResult:
    """Make many transfers from the person's accounts, in order, each with its own result.

    Earlier ones count for later ones of the same nodes; linked ones are made together or not at
    all. No transaction may be open.

    Raises:
        LinkedAcrossBranches, Refused: nothing was written.
        BranchDown, Busy, OutcomeUnknown: no part was answered; the same request may be sent again.
    """
    parts = _parts(request)
    used = _keys_used(request, parts)
    order = Order(
        client=request.user,
        channel=request.channel,
        day=bank_day(now),
        key=request.key,
        holder=request.user,
    )
    result = BatchResult()
    silence: list[DomainError] = []
    # What was posted before comes first: another request under the same key is found out by it.
    for part in sorted(parts, key=lambda part: part.key not in used):
        try:
            _take_over(result, part, _post(part, order), order)
        except _UNANSWERED as error:
            silence.append(error)
            result.faults.update(dict.fromkeys(part.places, error))
    if len(silence) == len(parts):
        raise silence[0]
    result.replayed &= not silence
    return result


def _parts(request: BatchRequest) -> list[_Part]:
    """Return the parts of a request; of an equal request always the same.

    Raises:
        LinkedAcrossBranches
        Refused: there are none, or one would pay the bank itself.
    """
    transfers = request.transfers
    numbers = {number for each in transfers for number in (each.debit, each.credit)}
    home = {number: home_of(number) for number in numbers}
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    before: tuple[str, str] | None = None
    for place, transfer in enumerate(transfers):
        if is_bank_account(transfer.credit):
            raise _no_payee(place)
        pair = (home[transfer.debit], home[transfer.credit])
        if before not in (None, pair):
            message = _(
                "Linked transfers must all go the same way, within a branch or between two."
            )
            raise LinkedAcrossBranches(message, field=f"transfers/{place}")
        places[pair].append(place)
        before = pair if transfer.linked else None
    if not places:
        raise Refused(Code.BATCH_EMPTY)
    return [
        _Part(
            source=source,
            destination=destination,
            key=request.key if len(places) == 1 else _key(request.key, source, destination),
            places=mine,
            transfers=[transfers[place] for place in mine],
        )
        for (source, destination), mine in places.items()
    ]


def _no_payee(place: int) -> Refused:
    """Return the refusal of a transfer to a till or vault, which are the bank's to move."""
    refusal = Refused(Code.UNKNOWN_CREDIT_ACCOUNT)
    refusal.field = f"transfers/{place}/credit_account"
    return refusal


def _key(key: str, *what: object) -> str:
    """Return the key of a part of a request."""
    return sha256("\n".join([key, *map(str, what)]).encode()).hexdigest()


def _keys_used(request: BatchRequest, parts: Sequence[_Part]) -> set[str]:
    """Return which keys of the parts were used before, on the nodes that answer.

    Raises:
        Refused: the request's key stands for another request there.
    """
    found: set[str] = set()
    for node in {part.source for part in parts}:
        possible = {request.key, *(_key(request.key, node, other) for other in nodes())}
        with suppress(*_UNANSWERED), silence_named(node):
            used = keys_used(possible, client=request.user, using=node)
            if used - {part.key for part in parts if part.source == node}:
                raise Refused(Code.KEY_REUSED)
            found |= used
    return found


def _post(part: _Part, order: Order) -> BatchReceipt:
    own = replace(order, key=part.key)
    note_used(part.source, part.destination)
    if part.source == part.destination:
        with silence_named(part.source):
            return post_batch(part.transfers, order=own, using=part.source)
    source, destination = part.source, part.destination
    try:
        return post_batch_across(part.transfers, order=own, source=source, destination=destination)
    except BranchDown:
        # It is the source that decides: what it has decided stands.
        with silence_named(source):
            earlier = answered_batch_across(
                part.transfers, order=own, source=source, destination=destination
            )
        if earlier is None:
            raise
        return replace(earlier, settling=not has_arrived(source, earlier.first_id))


def _take_over(result: BatchResult, part: _Part, receipt: BatchReceipt, order: Order) -> None:
    """Add to the result what came of a part, and post where they live those that have moved."""
    result.replayed &= receipt.replayed
    result.settling |= receipt.settling
    moved = set()
    for item, place in enumerate(part.places):
        code = receipt.refusals.get(item)
        if code is None:
            result.ids[place] = receipt.transfer_id(item)
        else:
            result.faults[place] = Refused(code)
            if code is Code.ACCOUNT_MOVED:
                moved.add(item)
    for chain in _chains(part.transfers) if moved else ():
        if not moved.isdisjoint(chain):
            _go_after(result, part, chain, order)


def _chains(transfers: Sequence[Transfer]) -> Iterator[list[int]]:
    """Yield the places of transfers that are linked with each other; mostly of one alone."""
    chain: list[int] = []
    for place, transfer in enumerate(transfers):
        chain.append(place)
        if not transfer.linked:
            yield chain
            chain = []
    if chain:
        yield chain


def _go_after(result: BatchResult, part: _Part, chain: Sequence[int], order: Order) -> None:
    """Post transfers of accounts that live elsewhere than their numbers say, and note what came."""
    places = [part.places[item] for item in chain]
    transfers = [part.transfers[item] for item in chain]
    own = replace(order, key=_key(str(order.key), "item", places[0]))
    try:
        posted = post_moved(transfers, order=own)
    except DomainError as error:
        result.replayed &= not isinstance(error, _UNANSWERED)
        result.faults.update(dict.fromkeys(places, error))
        return
    result.replayed &= posted.replayed
    result.settling |= posted.settling
    for item, place in enumerate(places):
        if item in posted.refusals:
            result.faults[place] = Refused(posted.refusals[item])
        else:
            del result.faults[place]
            result.ids[place] = posted.transfer_id(item)


def _largest(transfers: Sequence[Transfer]) -> list[tuple[int, Transfer]]:
    """Return the largest transfer of each currency, with its place."""
    found: dict[str, tuple[int, Transfer]] = {}
    for place, transfer in enumerate(transfers):
        currency = transfer.amount.currency
        if currency not in found or found[currency][1].amount.minor < transfer.amount.minor:
            found[currency] = (place, transfer)
    return list(found.values())


def _totals(transfers: Sequence[Transfer]) -> list[Money]:
    found: dict[str, int] = defaultdict(int)
    for transfer in transfers:
        found[transfer.amount.currency] += transfer.amount.minor
    return [Money(minor, currency) for currency, minor in found.items()]
