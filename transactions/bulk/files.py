"""Taking files of payments, showing what they come to, and sending each once.

A file goes through the same door as a batch over the API: the sum needs a code as one transfer of
it would, limits and new payees count under the ledger's locks, and each payment has its own result.
Its key is of its content, so the same file never moves money twice; and as references are taken
once, nor does another file with the same payments in it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.callers import Caller
from accounts.numbers import is_bank_account
from core.api.step_up import StepUp
from core.clock import bank_day
from core.errors import DomainError
from core.money import Money
from core.text import InvalidText, one_line
from transactions.batching import BatchRequest, BatchResult, post_transfers_as
from transactions.branches.asking import refuse_silence_of
from transactions.branches.registry import node_of
from transactions.bulk.models import BulkFile
from transactions.bulk.pain001 import Payment, PaymentNotTaken, read_pain001
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import Channel, Transfer
from transactions.parties import payees_named
from transactions.policy import is_large
from transactions.selectors import held_by

_LONGEST_NAME: Final = 120
# Of what was given and never sent, the newest are kept.
_MOST_UNSENT: Final = 20


class UnknownBulkFile(DomainError):
    """There is no such file of this person's."""

    code = "unknown_payment_file"
    http_status = 404


class NothingToSend(DomainError):
    """Every payment of a file has a fault."""

    code = "nothing_to_send"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentShown:
    """One payment of a file, who the bank knows its payee as, and its fault or what came of it.

    ``status`` is ready, faulty, posted, refused or unanswered.
    """

    place: int
    debit: int | None
    credit: int | None
    amount: Money | None
    written_amount: str
    memo: str
    reference: str
    name: str
    known_as: str
    status: str
    code: str
    words: str
    transfer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkFileShown:
    """A file: its payments, what those that can be sent add up to, and what there is to notice.

    ``earlier`` is another file that was sent with the same message id.
    """

    file: BulkFile
    payments: Sequence[PaymentShown]
    totals: Sequence[Money]
    needs_code: bool
    earlier: BulkFile | None

    def counted(self, *statuses: str) -> int:
        """Return how many payments have one of some statuses."""
        return sum(one.status in statuses for one in self.payments)

    @property
    def ready(self) -> int:
        """How many would be sent."""
        return self.counted("ready")

    @property
    def is_open(self) -> bool:
        """Tell whether sending it would make payments, of which some may be unanswered yet."""
        return bool(self.counted("ready", "unanswered"))


def receive_file(user: int, *, content: bytes, name: str, now: datetime) -> BulkFile:
    """Read a file of payments and keep what it asks for; one that was sent stays as it was.

    Raises:
        UnreadableFile
        BranchDown: one that keeps an account to be paid from does not answer.
    """
    digest = sha256(content).hexdigest()
    sent = BulkFile.objects.filter(user_id=user, digest=digest, sent_at__isnull=False).first()
    if sent is not None:
        return sent
    asked = read_pain001(content, today=bank_day(now))
    held = held_by(user)
    payments = [_stored(_checked(one, held)) for one in asked.payments]
    fields = {
        "name": _file_name(name),
        "message_id": asked.message_id,
        "payments": payments,
        "received_at": now,
    }
    BulkFile.objects.filter(user_id=user, digest=digest, sent_at=None).update(**fields)
    file, _is_new = BulkFile.objects.get_or_create(user_id=user, digest=digest, defaults=fields)
    _forget_unsent(user)
    return file


def bulk_files(user: int, *, most: int) -> list[BulkFile]:
    """Return a person's newest files, without their payments."""
    newest = BulkFile.objects.filter(user_id=user).order_by("-received_at")
    return list(newest.defer("payments", "results")[:most])


def bulk_file(user: int, *, file_id: UUID) -> BulkFileShown:
    """Return a person's file, as it is to be checked or as it was sent.

    Raises:
        UnknownBulkFile
    """
    return _shown(_found(user, file_id))


def receive_and_send(
    caller: Caller,
    *,
    content: bytes,
    step_up: Callable[[], StepUp],
    now: datetime,
) -> BulkFileShown:
    """Take a file over the API and send it at once.

    Raises as ``receive_file`` and ``send_file`` do.
    """
    file = receive_file(caller.pk, content=content, name="pain.001", now=now)
    return send_file(caller, file_id=file.pk, channel=Channel.API, step_up=step_up, now=now)


def send_file(
    caller: Caller,
    *,
    file_id: UUID,
    channel: Channel,
    step_up: Callable[[], StepUp],
    now: datetime,
) -> BulkFileShown:
    """Send the payments of a file that have no fault, each with its own result, and note them.

    Sent again it moves nothing again, and makes what was unanswered. No transaction may be open.

    Raises:
        UnknownBulkFile, NothingToSend
        KeyLimitExceeded, StepUpRequired, WrongStepUpCode
        BranchDown, Busy, OutcomeUnknown: nothing was answered; send it again.
    """
    file = _found(caller.pk, file_id)
    places = [place for place, one in enumerate(file.payments) if "code" not in one]
    if not places:
        raise NothingToSend(_("None of the payments can be sent."))
    request = BatchRequest(
        user=caller.pk,
        key=f"pain001:{file.digest}",
        channel=channel,
        transfers=[_transfer(file.payments[place]) for place in places],
    )
    result = post_transfers_as(caller, request, step_up=step_up, now=now)
    file.results = _results(len(file.payments), places, result)
    file.sent_at = file.sent_at or now
    file.save(update_fields=["results", "sent_at"])
    return _shown(file)


def _found(user: int, file_id: UUID) -> BulkFile:
    file = BulkFile.objects.filter(user_id=user, pk=file_id).first()
    if file is None:
        raise UnknownBulkFile(_("There is no such file of payments."))
    return file


def _file_name(name: str) -> str:
    """Return a file's name as it can be shown; a strange one is as good as none."""
    try:
        return one_line(name[-_LONGEST_NAME:], longest=_LONGEST_NAME, field="file") or "pain.001"
    except InvalidText:
        return "pain.001"


def _forget_unsent(user: int) -> None:
    unsent = BulkFile.objects.filter(user_id=user, sent_at=None).order_by("-received_at")
    old = list(unsent.values_list("pk", flat=True)[_MOST_UNSENT:])
    if old:
        BulkFile.objects.filter(pk__in=old, sent_at=None).delete()


def _checked(payment: Payment, held: dict[int, str]) -> Payment:
    """Return a payment with its fault, if it can be told before it is sent."""
    if payment.fault is not None or payment.amount is None or payment.debit is None:
        return payment
    currency = held.get(payment.debit)
    fault: DomainError | None = None
    if currency is None:
        refuse_silence_of(node_of(payment.debit))
        fault = Refused(Code.UNKNOWN_DEBIT_ACCOUNT)
    elif currency != payment.amount.currency:
        text = _("The account is in %(held)s, and the payment in %(asked)s.")
        codes = {"held": currency, "asked": payment.amount.currency}
        fault = PaymentNotTaken(text % codes, code="currency_mismatch")
    elif payment.credit is None or is_bank_account(payment.credit):
        fault = Refused(Code.UNKNOWN_CREDIT_ACCOUNT)
    elif payment.credit == payment.debit:
        fault = Refused(Code.SAME_ACCOUNT)
    return replace(payment, fault=fault)


def _stored(payment: Payment) -> dict[str, Any]:
    """Return a payment as JSON; with a ``code`` it is not sent."""
    amount = payment.amount
    stored: dict[str, Any] = {
        "debit": payment.debit,
        "credit": payment.credit,
        "minor": amount and amount.minor,
        "currency": amount and amount.currency,
        "written_amount": _text(payment.written_amount, 40),
        "memo": payment.memo,
        "reference": payment.reference,
        "name": _text(payment.name, _LONGEST_NAME),
    }
    if payment.fault is not None:
        stored |= {"code": payment.fault.code, "words": str(payment.fault.message)}
    return stored


def _text(text: str, longest: int) -> str:
    """Return a text as the database takes it: XML has no NUL, but other controls."""
    return "".join(one for one in text[:longest] if one.isprintable())


def _transfer(stored: dict[str, Any]) -> Transfer:
    return Transfer(
        stored["debit"],
        stored["credit"],
        Money(stored["minor"], stored["currency"]),
        memo=stored["memo"] or None,
        reference=stored["reference"] or None,
    )


def _results(payments: int, places: Sequence[int], result: BatchResult) -> list[dict[str, str]]:
    """Return what came of each payment of a file; nothing of those that were not sent."""
    results: list[dict[str, str]] = [{} for _place in range(payments)]
    unanswered = set(result.unanswered)
    for item, place in enumerate(places):
        fault = result.faults.get(item)
        if fault is None:
            results[place] = {"status": "posted", "transfer_id": str(result.ids[item])}
        else:
            status = "unanswered" if item in unanswered else "refused"
            results[place] = {"status": status, "code": fault.code, "words": str(fault.message)}
    return results


def _shown(file: BulkFile) -> BulkFileShown:
    stored: list[dict[str, Any]] = file.payments
    names = payees_named({one["credit"] for one in stored if one["credit"]})
    results = file.results or [{}] * len(stored)
    shown = [
        _payment_shown(place, one, came, names)
        for place, (one, came) in enumerate(zip(stored, results, strict=True), 1)
    ]
    totals = _totals(shown)
    others = BulkFile.objects.filter(
        user_id=file.user_id, message_id=file.message_id, sent_at__isnull=False
    )
    return BulkFileShown(
        file=file,
        payments=shown,
        totals=totals,
        needs_code=any(is_large(total) for total in totals),
        earlier=others.exclude(pk=file.pk).order_by("-sent_at").first(),
    )


def _payment_shown(
    place: int, stored: dict[str, Any], came: dict[str, str], names: dict[int, Any]
) -> PaymentShown:
    told = {**stored, **came}
    minor, payee = stored["minor"], names.get(stored["credit"])
    return PaymentShown(
        place=place,
        debit=stored["debit"],
        credit=stored["credit"],
        amount=None if minor is None else Money(minor, stored["currency"]),
        written_amount=stored["written_amount"],
        memo=stored["memo"],
        reference=stored["reference"],
        name=stored["name"],
        known_as=payee.name if payee else "",
        status=came.get("status") or ("faulty" if "code" in stored else "ready"),
        code=told.get("code", ""),
        words=told.get("words", ""),
        transfer_id=came.get("transfer_id", ""),
    )


def _totals(payments: Sequence[PaymentShown]) -> list[Money]:
    """Return what the payments that are, or would be, sent add up to, by currency."""
    sums: dict[str, int] = {}
    for one in payments:
        if one.amount is not None and one.status in {"ready", "posted", "unanswered"}:
            sums[one.amount.currency] = sums.get(one.amount.currency, 0) + one.amount.minor
    return [Money(minor, currency) for currency, minor in sums.items()]
