"""Statements as OFX 2.2, which money programs for homes and small firms read."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from transactions.selectors import Movement
from transactions.statements.markup import element, text
from transactions.statements.whole import WholeStatement

# Without a first day, the bank's books begin here.
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PROLOGUE: Final = (
    '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
    '<?OFX OFXHEADER="200" VERSION="220" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>\n'
)
_TYPES: Final = {
    "transfer": "XFER",
    "withdrawal": "CASH",
    "payment": "PAYMENT",
    "card": "POS",
    "deposit": "DEP",
    "fee": "FEE",
    "interest": "INT",
    "penalty_interest": "INT",
}
_LONGEST_NAME: Final = 32
_BANK_DIGITS: Final = 3


def ofx(statement: WholeStatement) -> Iterator[str]:
    """Return the file piece by piece; one that breaks off is not well-formed."""
    return map(_ascii, _pieces(statement))


def _pieces(statement: WholeStatement) -> Iterator[str]:
    yield f"{_PROLOGUE}<OFX>{_sign_on(statement)}<BANKMSGSRSV1><STMTTRNRS>"
    yield f"{text('TRNUID', '0')}{_OK}<STMTRS>"
    yield text("CURDEF", statement.account.currency) + _account(statement)
    yield f"<BANKTRANLIST>{_range(statement)}\n"
    for movement in statement.movements:
        yield _transaction(movement)
    yield f"</BANKTRANLIST>{_balance(statement)}"
    yield "</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"


_OK: Final = element("STATUS", text("CODE", "0"), text("SEVERITY", "INFO"))


def _sign_on(statement: WholeStatement) -> str:
    server = text("DTSERVER", _instant(statement.made_at))
    signed = element("SONRS", _OK, server, text("LANGUAGE", "ENG"))
    return element("SIGNONMSGSRSV1", signed)


def _account(statement: WholeStatement) -> str:
    number = str(statement.account.number)
    is_savings = "saving" in statement.account.product.lower()
    return element(
        "BANKACCTFROM",
        text("BANKID", number[:_BANK_DIGITS]),
        text("ACCTID", number),
        text("ACCTTYPE", "SAVINGS" if is_savings else "CHECKING"),
    )


def _range(statement: WholeStatement) -> str:
    first = statement.wanted.since or _BEGINNING
    end = min(statement.wanted.until or statement.made_at, statement.made_at)
    return text("DTSTART", _instant(first)) + text("DTEND", _instant(end))


def _transaction(movement: Movement) -> str:
    usual = "DEBIT" if movement.is_out else "CREDIT"
    return (
        element(
            "STMTTRN",
            text("TRNTYPE", _TYPES.get(movement.kind, usual)),
            text("DTPOSTED", _instant(movement.recorded_at)),
            text("DTUSER", _instant(movement.event_at)),
            text("TRNAMT", movement.change.text),
            text("FITID", str(movement.transfer_id)),
            text("NAME", movement.counterparty.name or movement.kind, longest=_LONGEST_NAME),
            text("MEMO", movement.memo),
        )
        + "\n"
    )


def _balance(statement: WholeStatement) -> str:
    end = min(statement.wanted.until or statement.made_at, statement.made_at)
    amount = text("BALAMT", statement.totals.closing.text)
    return element("LEDGERBAL", amount, text("DTASOF", _instant(end)))


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%d%H%M%S}.{at.microsecond // 1000:03}[0:GMT]"


def _ascii(text: str) -> str:
    """Write other letters as XML's references: some readers take every file for ASCII."""
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")
