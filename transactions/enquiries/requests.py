"""Requests that wait for a second person, as staff read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from accounts.approvals import UnknownApproval, approval_known
from accounts.models import Approval
from transactions.branches.asking import ask_everywhere, ask_head_office, refuse_silence_of
from transactions.branches.registry import HEAD_OFFICE
from transactions.enquiries.facts import Fact, facts_of
from transactions.ledger import reads


@dataclass(frozen=True, slots=True)
class RequestEnquiry:
    """A request, what it says, and whose accounts it is about."""

    approval: Approval
    facts: Sequence[Fact]
    accounts: Sequence[int]


def request_enquiry(approval_id: int) -> RequestEnquiry:
    """Return a request by its id.

    Raises:
        UnknownApproval
        BranchDown: the head office does not answer.
    """
    approval = ask_head_office(lambda source: approval_known(approval_id, using=source))
    if approval is None:
        refuse_silence_of(HEAD_OFFICE)
        raise UnknownApproval
    payload = approval.payload
    accounts = [int(payload["account"])] if payload.get("account") else []
    if payload.get("transfer_id"):
        accounts = _accounts_of(UUID(payload["transfer_id"]))
    facts = facts_of(payload, currency=_currency_of(accounts), names={})
    return RequestEnquiry(approval, facts, accounts)


def _accounts_of(transfer_id: UUID) -> list[int]:
    posted = ask_everywhere(
        lambda source: [one for one in [reads.transfer(transfer_id, using=source)] if one]
    )
    return [number for one in posted[:1] for number in (one.debit, one.credit)]


def _currency_of(accounts: Sequence[int]) -> str | None:
    found = ask_everywhere(lambda source: reads.balances(accounts, using=source))
    return found[0].currency if found else None
