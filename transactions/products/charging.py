"""Monthly fees of accounts. What an account cannot pay at the month's end is waived."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from accounts.models import AccountStatus
from core.clock import start_of
from core.db.errors import Busy
from transactions.branches.registry import follow, node_of
from transactions.closing.outcome import Outcome
from transactions.closing.posting import Monthly
from transactions.ledger.accruals import Due
from transactions.ledger.codes import Code
from transactions.ledger.posting import Kind
from transactions.products.terms import accounts_under, terms_on

_ROUNDS: Final = 5


def charge_fees(last: date, *, now: datetime) -> Outcome:
    """Charge the fees of the month that ends with a day; once to each account open since then.

    No transaction may be open.

    Raises:
        BranchDown, OutcomeUnknown: a node does not answer; doing it again is harmless.
        Busy
    """
    wanted = Monthly(kind=Kind.FEE, month=last.replace(day=1), last=last)
    dues = _dues(last)
    waived: dict[int, Code] = {}
    for _round in range(_ROUNDS):
        refused = _charge(wanted, dues, now=now)
        waived |= {one: code for one, code in refused.items() if code != Code.ACCOUNT_MOVED}
        dues = [due for due in dues if refused.get(due.account) == Code.ACCOUNT_MOVED]
        if not dues:
            return wanted.outcome(left_out=waived)
        for due in dues:
            follow(due.account)
    message = "Accounts moved while their fees were charged; please try again."
    raise Busy(message)


def _dues(last: date) -> list[Due]:
    """Return the fees of accounts that were open when the month ended."""
    open_by_then = {"opened_at__lt": start_of(last + timedelta(days=1))}
    return [
        Due(number, terms.currency, terms.monthly_fee)
        for terms in terms_on(last)
        if terms.monthly_fee
        for number in accounts_under(terms)
        .filter(**open_by_then)
        .exclude(status=AccountStatus.CLOSED)
        .values_list("number", flat=True)
    ]


def _charge(wanted: Monthly, dues: Sequence[Due], *, now: datetime) -> Mapping[int, Code]:
    by_node: dict[str, list[Due]] = defaultdict(list)
    for due in dues:
        by_node[node_of(due.account)].append(due)
    refused: dict[int, Code] = {}
    for node, here in by_node.items():
        refused |= wanted.post(here, node=node, now=now)
    return refused
