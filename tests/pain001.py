"""Files of payments as firms' programs write them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from xml.sax.saxutils import escape

from core import clock
from core.clock import bank_day

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"


@dataclass(frozen=True)
class Wish:
    """One payment of a file."""

    debit: object
    credit: object
    amount: str
    currency: str = "INR"
    memo: str = ""
    reference: str = "NOTPROVIDED"
    name: str = "Vikram Singh"


def pain001(
    wishes: Sequence[Wish],
    *,
    message_id: str = "WAGES-1",
    count: object = None,
    total: str | None = None,
    day: object = None,
    method: str = "TRF",
) -> bytes:
    """Return a file of payments, each in a group of its own."""
    day = day or bank_day(clock.now())
    total = total or str(sum(Decimal(one.amount) for one in wishes))
    groups = "".join(
        f"<PmtInf><PmtInfId>{place}</PmtInfId><PmtMtd>{method}</PmtMtd><BtchBookg>true</BtchBookg>"
        f"<ReqdExctnDt><Dt>{day}</Dt></ReqdExctnDt><Dbtr><Nm>Asha Rao</Nm></Dbtr>"
        f"<DbtrAcct><Id><Othr><Id>{one.debit}</Id></Othr></Id></DbtrAcct>"
        f"<CdtTrfTxInf><PmtId><EndToEndId>{escape(one.reference)}</EndToEndId></PmtId>"
        f'<Amt><InstdAmt Ccy="{one.currency}">{escape(one.amount)}</InstdAmt></Amt>'
        f"<Cdtr><Nm>{escape(one.name)}</Nm></Cdtr>"
        f"<CdtrAcct><Id><Othr><Id>{one.credit}</Id></Othr></Id></CdtrAcct>"
        f"<RmtInf><Ustrd>{escape(one.memo)}</Ustrd></RmtInf></CdtTrfTxInf></PmtInf>"
        for place, one in enumerate(wishes)
    )
    count = len(wishes) if count is None else count
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{NAMESPACE}"><CstmrCdtTrfInitn>'
        f"<GrpHdr><MsgId>{escape(message_id)}</MsgId><CreDtTm>2026-03-02T09:00:00Z</CreDtTm>"
        f"<NbOfTxs>{count}</NbOfTxs><CtrlSum>{total}</CtrlSum></GrpHdr>{groups}"
        "</CstmrCdtTrfInitn></Document>"
    ).encode()
