"""Statements as CAMT.053 (ISO 20022, camt.053.001.08), which firms' programs read."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from core.clock import bank_day
from core.money import Money
from transactions.selectors import Movement
from transactions.statements.markup import element, text
from transactions.statements.whole import WholeStatement, side_of

_NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_PARTIAL: Final = "Only some entries of these days, as was asked for: balances do not follow."
_LONGEST: Final = 140


def camt053(statement: WholeStatement) -> Iterator[str]:
    """Yield the file piece by piece; one that breaks off is not well-formed."""
    name = f"{statement.account.number}-{statement.made_at.astimezone(UTC):%Y%m%d%H%M%S%f}"
    made = text("CreDtTm", _instant(statement.made_at))
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<Document xmlns="{_NAMESPACE}"><BkToCstmrStmt>'
    yield element("GrpHdr", text("MsgId", name), made)
    yield f"<Stmt>{text('Id', name)}{made}{_range(statement)}{_account(statement)}"
    yield f"{_balances(statement)}{_summary(statement)}\n"
    for movement in statement.movements:
        yield f"{_entry(movement)}\n"
    yield text("AddtlStmtInf", _PARTIAL if statement.is_partial else "")
    yield "</Stmt></BkToCstmrStmt></Document>\n"


def _range(statement: WholeStatement) -> str:
    if statement.wanted.since is None:
        return ""
    end = min(statement.wanted.until or statement.made_at, statement.made_at)
    first = min(statement.wanted.since, end)
    times = text("FrDtTm", _instant(first)), text("ToDtTm", _instant(end))
    return element("FrToDt", *times)


def _account(statement: WholeStatement) -> str:
    account = statement.account
    return element(
        "Acct",
        _number(account.number),
        text("Ccy", account.currency),
        text("Nm", account.product, longest=70),
        element("Ownr", text("Nm", statement.owner, longest=_LONGEST)),
    )


def _number(number: int) -> str:
    return element("Id", element("Othr", text("Id", str(number))))


def _balances(statement: WholeStatement) -> str:
    """Return the balances at both ends of the days: the opening one is of the day before."""
    wanted, totals = statement.wanted, statement.totals
    end = min(wanted.until or statement.made_at, statement.made_at)
    opening = min(wanted.since or end, end)
    return _balance("OPBD", totals.opening, opening) + _balance("CLBD", totals.closing, end)


def _balance(code: str, amount: Money, at: datetime) -> str:
    return element(
        "Bal",
        element("Tp", element("CdOrPrtry", text("Cd", code))),
        _amount(amount),
        element("Dt", text("DtTm", _instant(at))),
    )


def _amount(amount: Money) -> str:
    side, size = side_of(amount)
    return f'<Amt Ccy="{size.currency}">{size.text}</Amt>{text("CdtDbtInd", side)}'


def _summary(statement: WholeStatement) -> str:
    totals = statement.totals
    return element(
        "TxsSummry",
        element("TtlNtries", text("NbOfNtries", str(totals.entries))),
        element("TtlCdtNtries", text("Sum", totals.coming.text)),
        element("TtlDbtNtries", text("Sum", side_of(totals.going)[1].text)),
    )


def _entry(movement: Movement) -> str:
    reference = movement.transfer_id.hex
    return element(
        "Ntry",
        text("NtryRef", reference),
        _amount(movement.change),
        text("RvslInd", "true" if movement.kind == "reversal" else ""),
        element("Sts", text("Cd", "BOOK")),
        element("BookgDt", text("DtTm", _instant(movement.recorded_at))),
        element("ValDt", text("Dt", str(bank_day(movement.event_at)))),
        text("AcctSvcrRef", reference),
        element("BkTxCd", element("Prtry", text("Cd", movement.kind))),
        element("NtryDtls", _details(movement)),
    )


def _details(movement: Movement) -> str:
    role = "Cdtr" if movement.is_out else "Dbtr"
    party = movement.counterparty
    name = text("Nm", party.name, longest=_LONGEST)
    message = text("Ustrd", movement.memo, longest=_LONGEST)
    return element(
        "TxDtls",
        element("Refs", text("AcctSvcrRef", movement.transfer_id.hex)),
        element(
            "RltdPties",
            element(role, element("Pty", name)) if name else "",
            element(f"{role}Acct", _number(party.number)),
        ),
        element("RmtInf", message) if message else "",
    )


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
