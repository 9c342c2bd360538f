"""Statements of each month by e-mail, to who asked for them: once for account, month and person.

A month that is over never changes: its entries are those that were recorded in it. So it does not
matter when its statements are made, or how often making them is begun.
"""

from collections.abc import Callable
from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import translation

from accounts.models import User
from core.errors import DomainError
from notifications.mail import File, Mail, queue_mail, rendered
from transactions.branches.asking import refuse_silence_of
from transactions.branches.registry import node_of
from transactions.ledger.codes import Refused
from transactions.ledger.reads import EntryFilter
from transactions.reporting.month import Month
from transactions.selectors import account_of
from transactions.statements.files import StatementFile, statement_file
from transactions.statements.models import MonthlyStatement, StatementMailing
from transactions.statements.pdf import TooManyEntries

_log = structlog.get_logger(__name__)


class StatementsMissing(Exception):
    """Some statements could not be made; making them again makes just those."""


def wants_statements(user: int, *, number: int) -> bool:
    """Tell whether a person wants an account's statements.

    Raises:
        Refused: the person has no such account.
        BranchDown: its branch does not answer.
    """
    account_of(user, number=number)
    return MonthlyStatement.objects.filter(user_id=user, account=number).exists()


def want_statements(user: int, *, number: int, wanted: bool, now: datetime) -> None:
    """Let a person have an account's statement of each month from now on, or not any more.

    Raises:
        Refused: the person has no such account.
        BranchDown: its branch does not answer.
    """
    account_of(user, number=number)
    mine = MonthlyStatement.objects.filter(user_id=user, account=number)
    if wanted:
        mine.get_or_create(user_id=user, account=number, defaults={"asked_at": now})
    else:
        mine.delete()


def mail_statements(
    month: Month, *, now: datetime, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> int:
    """Put a month's statements into the mail that were not yet; return how many those were.

    Raises:
        StatementsMissing: some could not be made, the others were.
    """
    wishes = list(MonthlyStatement.objects.select_related("user").order_by("pk"))
    mailed, missing = 0, 0
    for done, wish in enumerate(wishes, 1):
        try:
            mailed += _mail(wish, month, now)
        except DomainError as error:
            missing += 1
            _log.warning("statement_not_made", wish=wish.pk, month=str(month), error=error.code)
        progress(done, len(wishes))
    if missing:
        message = f"{missing} statements of {month} could not be made"
        raise StatementsMissing(message)
    return mailed


def _mail(wish: MonthlyStatement, month: Month, now: datetime) -> bool:
    """Put one statement into the mail; False: it was before, or its person has left."""
    person = wish.user
    the_one = {"user": person, "account": wish.account, "month": month.first}
    address = person.email if person.is_active else None
    if not address or StatementMailing.objects.filter(**the_one).exists():
        return False
    try:
        file = _file(person, wish.account, month, now)
    except Refused:
        refuse_silence_of(node_of(wish.account))
        wish.delete()
        return False
    content = b"".join(one.encode() if isinstance(one, str) else one for one in file.pieces)
    with transaction.atomic(), translation.override(person.language or settings.LANGUAGE_CODE):
        _mailing, is_new = StatementMailing.objects.get_or_create(
            **the_one, defaults={"mailed_at": now}
        )
        if is_new:
            name = file.name.replace("statement", f"statement-{month}")
            attached = File(name=name, content_type=file.media_type, content=content)
            words = rendered(
                "monthly_statement", {"month": month.first, "ending": wish.account % 10_000}
            )
            kind = "monthly_statement"
            mail = Mail(to=address, kind=kind, words=words, person=person.pk, files=[attached])
            queue_mail(mail, now=now)
    return is_new


def _file(person: User, number: int, month: Month, now: datetime) -> StatementFile:
    """Return the statement as PDF, or where that has no room for it as CSV."""

    def made(form: str) -> StatementFile:
        return statement_file(
            person.pk,
            owner=person.full_name,
            number=number,
            wanted=lambda _currency: EntryFilter(since=month.since, until=month.until),
            form=form,
            now=now,
        )

    try:
        return made("pdf")
    except TooManyEntries:
        return made("csv")
