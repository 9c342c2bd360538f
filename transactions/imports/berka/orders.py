"""The permanent orders of order.asc: payments to other banks that came again and again.

They become standing orders of the accounts' owners, and pay the account that stands for other
banks, as such payments of the past do; the memo names bank and account. The file has no dates, and
this bank sends nothing to other banks: they come in paused, monthly from the first day after the
histories, so that customers see what they had promised, and nothing is paid.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from accounts.models import Holding
from core.errors import DomainError
from core.money import Money
from transactions.chart import BankAccounts, Place
from transactions.imports.berka.meaning import to_bank
from transactions.imports.berka.rows import CURRENCY, noon
from transactions.imports.tables import BadField, minor_units, parse_table, whole
from transactions.payments.models import StandingOrder

FIRST_DATE: Final = date(1999, 1, 1)
"""The histories of this bank end with 1998."""
_GIVEN: Final = date(1998, 12, 31)
_COLUMNS: Final = ("order_id", "account_id", "bank_to", "account_to", "amount", "k_symbol")
_BANK: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_ACCOUNT: Final = re.compile(r"[0-9]{1,16}", re.ASCII)
_AT_ONCE: Final = 2_000


class OrderDiffers(DomainError):
    """A standing order of the file is another one in the bank."""

    code = "order_differs"


@dataclass(frozen=True, slots=True)
class PermanentOrder:
    """A line of order.asc; ``account`` is the file's own id, ``memo`` names who is paid."""

    order_id: int
    account: str
    amount: Money
    memo: str

    @property
    def key(self) -> str:
        """The key under which the bank has it."""
        return f"berka:order:{self.order_id}"


def read_orders(folder: Path, *, accounts: set[str]) -> list[PermanentOrder]:
    """Read and check order.asc; ``accounts`` are the ids of account.asc.

    Raises:
        UnreadableFile: naming file, line and field.
    """
    return parse_table(folder / "order.asc", _COLUMNS, partial(_order, accounts))


def add_orders(
    orders: Sequence[PermanentOrder], *, numbers: Mapping[str, int], bank: BankAccounts
) -> int:
    """Add the orders that are missing, compare all, and return how many the bank has.

    Needs a transaction, under ``lock_imports``.

    Raises:
        OrderDiffers: naming the first one.
    """
    nostro = bank.number(Place.NOSTRO)
    # By the account they pay, too: a customer may have given an order under any key.
    ours = StandingOrder.objects.filter(credit=nostro, key__in=[order.key for order in orders])
    known = {order.key: order for order in ours}
    owners = _owners({numbers[order.account] for order in orders})
    missing = [
        _standing_order(order, numbers[order.account], nostro, owners)
        for order in orders
        if order.key not in known
    ]
    StandingOrder.objects.bulk_create(missing, batch_size=_AT_ONCE)
    for order in orders:
        if order.key in known:
            _compare(order, known[order.key], debit=numbers[order.account])
    return ours.all().count()


def _owners(accounts: set[int]) -> dict[int, int]:
    found = Holding.objects.filter(account__in=accounts, rights="owner").order_by("-user")
    return dict(found.values_list("account", "user"))


def _standing_order(
    order: PermanentOrder, debit: int, nostro: int, owners: Mapping[int, int]
) -> StandingOrder:
    return StandingOrder(
        user_id=owners[debit],
        key=order.key,
        debit=debit,
        credit=nostro,
        amount=order.amount.minor,
        currency=CURRENCY,
        memo=order.memo,
        frequency=StandingOrder.Frequency.MONTHLY,
        month_end=False,
        weekend=StandingOrder.Weekend.SAME,
        first_date=FIRST_DATE,
        next_date=FIRST_DATE,
        pay_date=FIRST_DATE,
        state=StandingOrder.State.PAUSED,
        created_at=noon(_GIVEN),
    )


def _compare(order: PermanentOrder, found: StandingOrder, *, debit: int) -> None:
    pairs = {
        "account_id": (debit, found.debit),
        "amount": (order.amount, found.money),
        "payee": (order.memo, found.memo),
    }
    for field, (expected, known) in pairs.items():
        if expected != known:
            message = f"order {order.order_id}, {field}: expected {expected}, the bank has {known}"
            raise OrderDiffers(message)


def _order(accounts: set[str], fields: Sequence[str]) -> PermanentOrder:
    account = str(whole(fields[1], field="account_id"))
    if account not in accounts:
        raise BadField(field="account_id", expected="one of account.asc", found=fields[1])
    if not _BANK.fullmatch(fields[2]):
        raise BadField(field="bank_to", expected="two capital letters", found=repr(fields[2]))
    if not _ACCOUNT.fullmatch(fields[3]):
        raise BadField(field="account_to", expected="digits", found=repr(fields[3]))
    amount = minor_units(fields[4], currency=CURRENCY, field="amount")
    if amount <= 0:
        raise BadField(field="amount", expected="more than zero", found=fields[4])
    return PermanentOrder(
        order_id=whole(fields[0], field="order_id"),
        account=account,
        amount=Money(amount, CURRENCY),
        memo=to_bank(partner=f"{fields[2]} {fields[3]}", k_symbol=fields[5]),
    )
