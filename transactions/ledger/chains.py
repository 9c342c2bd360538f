"""Linked transfers, or one alone, whose answer stands for good: what was refused stays refused."""

from collections.abc import Sequence

from transactions.ledger.arrays import Smallints
from transactions.ledger.codes import Code
from transactions.ledger.connection import fetch_one
from transactions.ledger.posting import (
    BatchReceipt,
    Order,
    Transfer,
    batch_parameters,
    refusals_in,
    run_batch,
)


def post_chain(
    transfers: Sequence[Transfer],
    *,
    order: Order,
    refused: Code | None = None,
    using: str = "default",
) -> BatchReceipt:
    """Post a chain as ``post_batch`` does; its answer moves along with the account that pays first.

    ``refused``: for this reason of the caller's each is refused.

    Raises:
        Refused: an account has moved away, and nothing is kept; or as ``post_batch``.
        Busy: try again.
    """
    codes = None if refused is None else Smallints([refused] * len(transfers))
    parameters = {**batch_parameters(transfers, order), "refused": codes}
    row = run_batch("post_chain", parameters, using)
    return BatchReceipt(row.first_id, len(transfers), refusals_in(row), row.replayed)


def chain_answered(*, items: int, order: Order, using: str = "default") -> BatchReceipt | None:
    """Return the receipt of a chain posted before under the order's key, or None.

    Whether it was the same one is the caller's to know.
    """
    row = fetch_one("chain_answered", {"client": order.client, "key": order.key}, using)
    if row is None:
        return None
    return BatchReceipt(row.result_id, items, refusals_in(row), replayed=True)
