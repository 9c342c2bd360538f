"""A bank with many accounts whose money came in February 2024. Django is set up."""

from collections.abc import Sequence
from datetime import date, datetime
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from accounts.models import Account, Product
from accounts.numbers import account_number
from accounts.services import head_office
from core.money import Money
from tests.integration.closing.bank import open_months, record_at
from tests.proofs._bank import OwnBank
from transactions.chart import Place, open_chart
from transactions.closing.days import close_days
from transactions.ledger.accounts import CustomerOpening, next_serials, open_customers
from transactions.ledger.posting import BANK_CLIENT, Channel, Kind, Order, Transfer, post_batch
from transactions.products.models import ProductTerms

INDIA: Final = ZoneInfo("Asia/Kolkata")
_OPENED: Final = datetime(2024, 1, 1, tzinfo=INDIA)
_CHUNK: Final = 5_000
_MOST: Final = 50_000_000


def open_bank(
    bank: OwnBank, *, accounts: int, rate_ppm: int, fee: int, dice: Random
) -> dict[int, tuple[int, int]]:
    """Open savings accounts; return what each holds in the first 14 days and from then on."""
    owner = bank.environment["OWNER_DATABASE_URL"]
    open_months()
    ProductTerms.objects.create(
        product=Product.SAVINGS,
        currency="INR",
        effective_from=date(2024, 1, 1),
        rate_ppm=rate_ppm,
        monthly_fee=fee,
    )
    numbers = _open_accounts(accounts)
    balances = {
        number: (dice.randrange(1, _MOST), dice.choice([0, 1, fee, dice.randrange(1, _MOST)]))
        for number in numbers
    }
    record_at(owner, datetime(2024, 1, 31, 12, tzinfo=INDIA))
    _move([(number, before) for number, (before, _after) in balances.items()])
    record_at(owner, datetime(2024, 2, 15, 0, 0, 1, tzinfo=INDIA))
    _move([(number, after - before) for number, (before, after) in balances.items()])
    record_at(owner, datetime(2024, 3, 1, 1, tzinfo=INDIA))
    close_days(until=date(2024, 2, 1), now=datetime(2024, 3, 1, 1, tzinfo=INDIA))
    return balances


def _open_accounts(count: int) -> list[int]:
    office = head_office()
    numbers = [
        account_number(branch=office.number, serial=serial) for serial in next_serials(count)
    ]
    open_customers(
        [
            CustomerOpening(
                number=number, currency="INR", product=Product.SAVINGS, opened_at=_OPENED
            )
            for number in numbers
        ],
        client=BANK_CLIENT,
    )
    Account.objects.bulk_create(
        [
            Account(
                number=number,
                branch=office,
                product=Product.SAVINGS,
                currency="INR",
                opened_at=_OPENED,
            )
            for number in numbers
        ],
        batch_size=_CHUNK,
    )
    return numbers


def _move(changes: Sequence[tuple[int, int]]) -> None:
    """Pay cash in and out, so that balances change as they say."""
    vault = open_chart(branch=head_office().number, currency="INR").number(Place.VAULT)
    order = Order(client=BANK_CLIENT, channel=Channel.BANK, day=_OPENED.date(), key=None)
    moved = [
        Transfer(vault, number, Money(change, "INR"), Kind.DEPOSIT)
        if change > 0
        else Transfer(number, vault, Money(-change, "INR"), Kind.DEPOSIT)
        for number, change in changes
        if change
    ]
    for begin in range(0, len(moved), _CHUNK):
        receipt = post_batch(moved[begin : begin + _CHUNK], order=order)
        if receipt.refusals:
            message = f"refused: {receipt.refusals}"
            raise RuntimeError(message)
