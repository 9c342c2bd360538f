"""``bank batch send FILE.csv``: many transfers in one request."""

import csv
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from client.bank import fresh_key
from client.command import KeyedCommand, noun
from client.desk import Desk, desk_of
from client.failures import ExitCode, Failure
from client.screen import Column

app = noun("Many transfers at once.")

MOST: Final = 10_000
# The first line names the columns.
FIRST_LINE: Final = 2
NEEDED: Final = frozenset({"from", "to", "amount"})
KNOWN: Final = NEEDED | {"currency", "memo", "reference", "linked"}
FIELDS: Final = {"from": "debit_account", "to": "credit_account"}
AMOUNT: Final = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)
YES: Final = "yes"
COLUMNS: Final = (
    "Its first line names the columns: from, to, amount; if you like currency, memo, reference "
    '(taken once only) and linked: "yes" there makes a transfer together with the next one, or '
    "neither."
)

RESULTS: Final = (
    Column("Line", "line", is_figure=True),
    Column("To", "credit_account"),
    Column("Amount", "amount", is_figure=True),
    Column("Currency", "currency"),
    Column("Result", "status"),
    Column("Why", "detail"),
    Column("Id", "id"),
)


@app.command(cls=KeyedCommand)
def send(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE.csv", exists=True, dir_okay=False, help=COLUMNS)
    ],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the file.")] = False,
) -> None:
    """Send the transfers of a CSV file, up to 10,000, and show what became of each.

    Examples:
        bank batch send salaries.csv --dry-run
        bank batch send salaries.csv
        bank batch send salaries.csv --yes --json > results.json
    """
    desk = desk_of(context)
    orders = _with_currencies(desk, _orders(file))
    sums = f"{len(orders)} transfers, {_totals(orders)} in all"
    if dry_run:
        desk.screen.warn(f"{sums}; nothing was sent.")
        return
    desk.agree(f"Send {sums}?")
    answer = _sent(desk, {"transfers": orders}, key=desk.settings.key or fresh_key())
    numbered = enumerate(zip(orders, answer["results"], strict=True), FIRST_LINE)
    found = [{"line": line, **order, **result} for line, (order, result) in numbered]
    desk.screen.items(found, RESULTS)
    if answer["refused"]:
        message = f"{answer['refused']} of {len(orders)} transfers were not made."
        raise Failure(message, ExitCode.PARTLY, hint="a file of those alone")


def _sent(desk: Desk, body: Mapping[str, Any], *, key: str) -> Any:
    """Send a batch, again while a branch has not answered: then just what is missing is made.

    Raises:
        Failure: it was refused, or a branch did not answer for good.
    """
    missing = len(body["transfers"])
    for _try in desk.bank.tries():
        answer = desk.bank.change("/transfer-batches", body, key=key)
        missing = answer["unanswered"]
        if not missing:
            return answer
        desk.screen.note(f"A branch does not answer for {missing} of them.")
    message = f"{missing} transfers have no answer yet."
    raise Failure(message, ExitCode.UNKNOWN, hint=f"the same command with --key {key}")


def _orders(file: Path) -> list[dict[str, Any]]:
    """Read the transfers of a file.

    Raises:
        Failure: it is not such a file; the line is named.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            _check_columns(reader.fieldnames or ())
            orders = [_order(row, line=reader.line_num) for row in reader]
    except (csv.Error, UnicodeDecodeError) as error:
        message = f"{file} is no CSV file in UTF-8: {error}"
        raise Failure(message, ExitCode.USAGE) from None
    if not 0 < len(orders) <= MOST:
        message = f"{file} has {len(orders)} transfers; a batch has 1 to {MOST}."
        raise Failure(message, ExitCode.USAGE)
    return orders


def _check_columns(found: Sequence[str]) -> None:
    missing, unknown = NEEDED - {*found}, {*found} - KNOWN
    if missing or unknown:
        said = ", ".join([f"{name} is missing" for name in sorted(missing)])
        said += ", ".join([f"{name!r} is unknown" for name in sorted(unknown)])
        message = f"The first line must name the columns: {said}."
        raise Failure(message, ExitCode.USAGE, hint="bank batch send --help")


def _order(row: Mapping[str, Any], *, line: int) -> dict[str, Any]:
    """Return the transfer of one row.

    Raises:
        Failure: something is missing, or one too many.
    """
    given = {name: value.strip() for name, value in row.items() if isinstance(value, str)}
    if None in row or any(not given.get(name) for name in NEEDED):
        message = f"Line {line} is not right: from, to and amount are needed, and nothing unnamed."
        raise Failure(message, ExitCode.USAGE)
    order = {FIELDS.get(name, name): value for name, value in given.items() if value}
    return {**order, "linked": order["linked"] == YES} if "linked" in order else order


def _with_currencies(desk: Desk, orders: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the transfers, each in its account's currency where the file names none."""
    if all("currency" in order for order in orders):
        return [*orders]
    accounts = desk.bank.get("/accounts")["accounts"]
    known = {account["number"]: account["currency"] for account in accounts}
    return [{"currency": known.get(order["debit_account"], ""), **order} for order in orders]


def _totals(orders: Sequence[Mapping[str, Any]]) -> str:
    """Return how much is sent, for each currency.

    Raises:
        Failure: an amount is none.
    """
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for order in orders:
        if not AMOUNT.fullmatch(order["amount"]):
            message = f"{order['amount']!r} is no amount such as 1250.50."
            raise Failure(message, ExitCode.USAGE)
        totals[order["currency"]] += Decimal(order["amount"])
    return ", ".join(f"{total} {currency}" for currency, total in sorted(totals.items()))
