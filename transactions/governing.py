"""Opening customers' accounts, freezing and closing them, changing who holds them and their limits.

An account's own node comes first: what it says counts from then on. The head office copies it next,
and if that is silent, or the process dies before, `manage.py watch` copies it. Under the same key
each of these is done once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import psycopg
import structlog
from django.db import InterfaceError, OperationalError

from accounts.models import Account, Branch, Product, User
from accounts.numbers import account_number
from core.db.errors import Busy
from transactions.branches import registry
from transactions.branches.agreement import copy_account
from transactions.branches.following import follow_accounts
from transactions.branches.outcomes import silence_named
from transactions.branches.registry import node_of
from transactions.ledger.accounts import (
    CustomerOpening,
    Limit,
    Status,
    next_serial,
    open_customer,
    set_holder,
    set_payee_limit,
    set_status,
)
from transactions.ledger.accounts import change_limits as change_limits_on
from transactions.ledger.codes import Code, Refused

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRequest:
    """A wish to open an account for a person at a branch; the ``key`` makes it safe to repeat."""

    owner: User
    branch: Branch
    product: Product
    currency: str
    client: int
    key: str
    name: str = ""
    external_reference: str | None = None


def open_customer_account(request: AccountRequest, *, now: datetime) -> Account:
    """Open an account at balance zero. Needs the head office, too.

    Raises:
        Refused: the key stands for another request, or the serial is taken (by an import that
            skipped the sequence).
        BranchDown: nothing was opened.
        OutcomeUnknown: the branch fell silent meanwhile; the same request sent again tells.
    """
    number = account_number(branch=request.branch.number, serial=next_serial())
    opening = CustomerOpening(
        number=number,
        currency=request.currency,
        product=request.product,
        opened_at=now,
        owner=request.owner.pk,
        name=request.name,
        external_reference=request.external_reference,
    )
    node = node_of(number)
    with silence_named(node):
        opened = open_customer(opening, client=request.client, key=request.key, using=node)
    copy_account(opened)
    return Account.objects.select_related("branch").get(pk=opened)


def change_status(number: int, *, status: Status, client: int, key: str, reason: str) -> None:
    """Freeze an account, open it again, or close it for good; closing needs balance zero.

    What it has earned is forgone then: `transactions/interest/closing.py` pays it out.

    Raises:
        Refused: with the reason; nothing was changed.
        BranchDown: nothing was changed.
        OutcomeUnknown: its branch fell silent meanwhile; the same request sent again tells.
    """
    change_where_it_lives(
        number,
        lambda node: set_status(
            number, status=status, client=client, key=key, reason=reason, using=node
        ),
    )


def change_where_it_lives(number: int, change: Callable[[str], object]) -> None:
    """Let ``change`` do something about an account on its node, then tell the head office.

    Raises:
        Refused: with the reason; nothing was changed.
        BranchDown: nothing was changed.
        OutcomeUnknown: its branch fell silent meanwhile.
    """
    try:
        _on(node_of(number), change)
    except Refused as refused:
        if refused.reason is not Code.ACCOUNT_MOVED:
            raise
        registry.refresh()
        _on(node_of(number), change)
    try:
        copy_account(number)
    except (OperationalError, InterfaceError, psycopg.OperationalError, Busy, Refused) as error:
        # What was done is done; the watch copies it, also when the account has just moved on.
        _log.warning("account_not_copied", account=number, error=" ".join(str(error).split()))


def change_holder(
    number: int,
    *,
    user: int,
    rights: Literal["owner", "authorised"] | None,
    client: int,
    key: str,
) -> None:
    """Give a person rights on an account, or with None take them away.

    Raises:
        Refused: with the reason; nothing was changed.
        BranchDown: nothing was changed.
        OutcomeUnknown: its branch fell silent meanwhile; the same request sent again tells.
    """
    change_where_it_lives(
        number,
        lambda node: set_holder(
            number, user=user, rights=rights, client=client, key=key, using=node
        ),
    )


def change_limits(  # a change is what these are
    number: int,
    *,
    limits: Mapping[Limit, int | None],
    is_lowering: bool,
    client: int,
    key: str | None,
    reason: str,
) -> None:
    """Set limits of an account, in minor units; None: no bound. The head office keeps no copy.

    With ``is_lowering`` none is raised, whatever it has become meanwhile.

    Raises:
        Refused: with the reason; nothing was changed.
        BranchDown: nothing was changed.
        OutcomeUnknown: its branch fell silent meanwhile; the same request sent again tells.
    """

    def work() -> None:
        _on(
            node_of(number),
            lambda node: change_limits_on(
                number,
                limits=limits,
                is_lowering=is_lowering,
                client=client,
                key=key,
                reason=reason,
                using=node,
            ),
        )

    follow_accounts(number, work=work)


def limit_payee(
    number: int, *, payee: int, daily_limit: int | None, client: int, reason: str
) -> None:
    """Set what an account may pay to one payee in a day, in minor units; None lifts the limit.

    Raises:
        Refused: with the reason; nothing was changed.
        BranchDown: nothing was changed.
        OutcomeUnknown: its branch fell silent meanwhile; doing it again is harmless.
    """

    def work() -> None:
        _on(
            node_of(number),
            lambda node: set_payee_limit(
                number,
                payee=payee,
                daily_limit=daily_limit,
                client=client,
                reason=reason,
                using=node,
            ),
        )

    follow_accounts(number, work=work)


def _on(node: str, change: Callable[[str], object]) -> None:
    with silence_named(node):
        change(node)
