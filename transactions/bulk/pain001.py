"""Reading pain.001 (ISO 20022), in which firms' programs write down payments.

Which of the message's versions it is does not matter: what is read here is in all of them alike. A
file that is not what it says is refused as a whole; what is wrong with one payment is told of it,
and keeps none of the others back.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.utils.translation import gettext as _

from accounts.numbers import parse_account_number
from core.errors import DomainError
from core.money import Money
from core.text import one_line

MOST_BYTES: Final = 2 * 1024 * 1024
MOST_PAYMENTS: Final = 1_000
LONGEST_MEMO: Final = 140
_LONGEST_ID: Final = 35
_NO_REFERENCE: Final = "NOTPROVIDED"
_NAMESPACE: Final = re.compile(r"\{(urn:iso:std:iso:20022:tech:xsd:pain\.001\.001\.[0-9]{2})\}.+")


class UnreadableFile(DomainError):
    """A file is no pain.001, or not what it says of itself; ``code`` tells."""

    code = "not_pain001"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message, field="pain001", code=code)


class PaymentNotTaken(DomainError):
    """One payment of a file asks for what the bank does not do; ``code`` tells."""

    code = "payment_not_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One payment of a file, in its place; ``fault`` is why it cannot be sent, and then it is not.

    What could not be read is None, or empty.
    """

    debit: int | None = None
    credit: int | None = None
    amount: Money | None = None
    written_amount: str = ""
    memo: str = ""
    reference: str = ""
    name: str = ""
    fault: DomainError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFile:
    """What a file asks for, by the name that its sender gave it."""

    message_id: str
    payments: list[Payment]


def read_pain001(content: bytes, *, today: date) -> PaymentFile:
    """Return the payments of a file.

    Raises:
        UnreadableFile: it is too large, no XML, another message, or its counts are not right.
    """
    if len(content) > MOST_BYTES:
        message = _("The file has more than %(most)s MiB.") % {"most": MOST_BYTES // 1024**2}
        raise UnreadableFile(message, code="file_too_large")
    message_of = _Message(_root(content))
    payments = [
        _payment(message_of, group, one, today)
        for group in message_of.all(message_of.top, "PmtInf")
        for one in message_of.all(group, "CdtTrfTxInf")
    ]
    _check_counts(message_of, payments)
    return PaymentFile(
        message_id=_line(message_of.text(message_of.top, "GrpHdr/MsgId"), _LONGEST_ID),
        payments=payments,
    )


class _Message:
    """An XML document, of which parts are named without their namespace."""

    def __init__(self, root: Element) -> None:
        found = _NAMESPACE.fullmatch(root.tag)
        self._namespaces = {"": found[1] if found else ""}
        top = root.find("CstmrCdtTrfInitn", self._namespaces)
        if found is None or top is None:
            raise UnreadableFile(_("This is XML, but no pain.001 of ISO 20022."))
        self.top = top

    def all(self, part: Element, path: str) -> list[Element]:
        return part.findall(path, self._namespaces)

    def text(self, part: Element, *paths: str) -> str:
        """Return the text of the first of some paths that has any."""
        found = (part.findtext(path, "", self._namespaces).strip() for path in paths)
        return next(filter(None, found), "")

    def find(self, part: Element, path: str) -> Element | None:
        return part.find(path, self._namespaces)


def _root(content: bytes) -> Element:
    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise UnreadableFile(_("The file declares entities; nothing needs them.")) from error
    except (ParseError, ValueError, LookupError) as error:
        raise UnreadableFile(_("This is no XML, or a broken one."), code="not_xml") from error
    return root


def _check_counts(message: _Message, payments: list[Payment]) -> None:
    """Check that a file holds as many payments as it says, of the sum that it says.

    Raises:
        UnreadableFile
    """
    if not payments:
        raise UnreadableFile(_("There is no payment in the file."), code="no_payments")
    if len(payments) > MOST_PAYMENTS:
        text = _("A file has at most %(most)s payments; this one has %(found)s.")
        counts = {"most": MOST_PAYMENTS, "found": len(payments)}
        raise UnreadableFile(text % counts, code="too_many_payments")
    counted = message.text(message.top, "GrpHdr/NbOfTxs")
    if counted != str(len(payments)):
        text = _("The file says that it has %(said)s payments, and has %(found)s.")
        said = {"said": counted[:15] or "no", "found": str(len(payments))}
        raise UnreadableFile(text % said, code="count_differs")
    summed = message.text(message.top, "GrpHdr/CtrlSum")
    if summed and _number(summed) != sum(_number(one.written_amount) or 0 for one in payments):
        text = _("The payments do not add up to the sum that the file says.")
        raise UnreadableFile(text, code="sum_differs")


def _payment(message: _Message, group: Element, one: Element, today: date) -> Payment:
    """Return one payment; whatever is wrong with it first is its fault."""
    amount = message.find(one, "Amt/InstdAmt")
    written = "" if amount is None else (amount.text or "").strip()
    known = {"written_amount": written, "name": message.text(one, "Cdtr/Nm")[:LONGEST_MEMO]}
    try:
        _check_group(message, group, today)
        debit = _account(message, group, "DbtrAcct")
        credit = _account(message, one, "CdtrAcct")
        if amount is None:
            raise PaymentNotTaken(_("The amount to be sent is missing (InstdAmt)."))
        money = Money.parse(written, amount.get("Ccy", ""))
        words = " ".join((part.text or "").strip() for part in message.all(one, "RmtInf/Ustrd"))
        memo = one_line(words, longest=LONGEST_MEMO, field="memo")
        reference = _line(message.text(one, "PmtId/EndToEndId"), _LONGEST_ID)
    except DomainError as fault:
        return Payment(**known, fault=fault)  # type: ignore[arg-type]  # texts, both of them
    return Payment(
        debit=debit,
        credit=credit,
        amount=money,
        memo=memo,
        reference="" if reference == _NO_REFERENCE else reference,
        **known,  # type: ignore[arg-type]  # texts, both of them
    )


def _check_group(message: _Message, group: Element, today: date) -> None:
    """Check that payments of a group are transfers, and for today.

    Raises:
        PaymentNotTaken
    """
    if message.text(group, "PmtMtd") != "TRF":
        raise PaymentNotTaken(_("This is no transfer (PmtMtd is not TRF)."))
    written = message.text(group, "ReqdExctnDt/Dt", "ReqdExctnDt")
    try:
        day = date.fromisoformat(written[:10])
    except ValueError:
        raise PaymentNotTaken(_("The day to send it on is missing (ReqdExctnDt).")) from None
    if day > today:
        text = _("It is for %(day)s; payments of files are sent at once.") % {"day": day}
        raise PaymentNotTaken(text, code="for_a_later_day")


def _account(message: _Message, part: Element, name: str) -> int:
    """Return the account that a part names.

    Raises:
        PaymentNotTaken, InvalidAccountNumber
    """
    if message.text(part, f"{name}/Id/IBAN"):
        raise PaymentNotTaken(_("An IBAN is no account of this bank."), code="iban_not_taken")
    return parse_account_number(message.text(part, f"{name}/Id/Othr/Id"))


def _line(text: str, longest: int) -> str:
    return one_line(text, longest=longest, field="reference")


def _number(text: str) -> Decimal | None:
    """Return a decimal as files of XML write it; None for what is none."""
    if not re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,18})?", text, re.ASCII):
        return None
    return Decimal(text)
