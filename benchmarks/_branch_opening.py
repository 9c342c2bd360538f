"""Join the branches, open the accounts, fill the replica. Run as a program, once."""

import os

import django

from benchmarks._branch_bank import ACCOUNTS, NODES, first_account


def main() -> None:
    """Open accounts with a million rupees each on every node, all of them user 1's."""
    from transactions.branches import replica

    _join()
    for node in NODES:
        _open_accounts(node)
    replica.set_up()
    if not replica.wait_until_whole(seconds=180):
        message = "the replica is not filled within three minutes"
        raise SystemExit(message)


def _join() -> None:
    from core.clock import now
    from transactions.branches.joining import join_branch

    for entry in os.environ["BRANCH_DATABASE_URLS"].split(","):
        code, _, url = entry.partition("=")
        join_branch(code=code, name=code.title(), url=url, number=NODES[code], now=now())


def _open_accounts(node: str) -> None:
    from django.db import transaction

    from core.clock import bank_day, now
    from core.money import Money
    from transactions.chart import Place, open_chart
    from transactions.ledger.accounts import Holder, Opening, Purpose, open_accounts, set_holders
    from transactions.ledger.posting import (
        BANK_CLIENT,
        Channel,
        Kind,
        Order,
        Transfer,
        post_batch,
    )

    numbers = range(first_account(node), first_account(node) + ACCOUNTS)
    vault = open_chart(branch=NODES[node], currency="INR", using=node).number(Place.VAULT)
    openings = [Opening(number=n, currency="INR", purpose=Purpose.CUSTOMER) for n in numbers]
    holders = [Holder(account=n, user=1, rights="owner") for n in numbers]
    million = Money(100_000_000, "INR")
    deposits = [Transfer(vault, number, million, Kind.DEPOSIT) for number in numbers]
    order = Order(client=BANK_CLIENT, channel=Channel.BANK, day=bank_day(now()), key=None)
    with transaction.atomic(using=node):
        open_accounts(openings, client=BANK_CLIENT, using=node)
        set_holders(holders, client=BANK_CLIENT, using=node)
        post_batch(deposits, order=order, using=node)


if __name__ == "__main__":
    django.setup()
    main()
