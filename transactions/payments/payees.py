"""Payees: accounts that a person pays now and then, and to whom a new one may be paid at first."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import CharField, Q
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from accounts.callers import Caller
from accounts.models import Holding
from accounts.step_up import require_step_up
from core.api.step_up import StepUp
from core.db.keyset import older
from core.errors import DomainError
from core.money import Money
from core.text import one_line
from transactions.branches.asking import ask_everywhere
from transactions.ledger.payments import last_paid
from transactions.payments.cooling import begin_cooling, cooling_limit, cooling_until, keep_cooling
from transactions.payments.models import Payee
from transactions.payments.parties import payee_account
from transactions.payments.telling import tell_of_payee
from transactions.selectors import held_by, recorded_at

LONGEST_NICKNAME: Final = 40


class UnknownPayee(DomainError):
    """There is no such payee of this person."""

    code = "unknown_payee"
    http_status = 404


class PayeeExists(DomainError):
    """A person has saved the account before, under another name."""

    code = "payee_exists"
    http_status = 409


class NoNickname(DomainError):
    """A payee needs a name."""

    code = "nickname_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeeToAdd:
    """An account to be saved: whose it is, and what it is paid a day at most while it cools off."""

    account: int
    nickname: str
    name: str
    limit: Money | None


@dataclass(frozen=True, slots=True)
class PayeeView:
    """A payee, when it was last paid, and until when it is paid only so much a day."""

    payee: Payee
    paid_at: datetime | None
    cooling_until: datetime | None

    @property
    def limit(self) -> Money | None:
        """What each account pays it in a day while it cools off."""
        return cooling_limit(self.payee.currency) if self.cooling_until else None


def add_payee(
    caller: Caller, *, account: int, nickname: str, step_up: StepUp, now: datetime
) -> tuple[Payee, bool]:
    """Save an account as a payee, and tell whether it is new: the same again answers with the same.

    For a day the person's accounts pay it only so much. A branch that is silent learns that from
    `manage.py watch`. An API key needs no code here: giving it the right to add payees took one.
    No transaction may be open.

    Raises:
        Refused: there is no such account to pay.
        PayeeExists: it is saved under another name.
        NoNickname, InvalidText
        StepUpRequired, WrongStepUpCode
        BranchDown: the account's branch does not answer.
    """
    name = _nickname(nickname)
    found = _find(caller.pk, account=account, nickname=name)
    if found is not None:
        return found, False
    to_pay = payee_account(account)
    if caller.via != "key":
        require_step_up(
            caller.pk,
            action="add a payee",
            **asdict(step_up),
            now=now,
        )
    with transaction.atomic():
        payee, is_new = Payee.objects.get_or_create(
            user_id=caller.pk,
            account=to_pay.number,
            defaults={
                "currency": to_pay.currency,
                "nickname": name,
                "name": to_pay.name,
                "added_at": now,
            },
        )
        if is_new:
            begin_cooling(payee, now=now)
            tell_of_payee(payee, now=now)
    keep_cooling(now=now, payee=payee.account)
    return payee, is_new


def payee_to_add(user: int, *, account: int, nickname: str) -> PayeeToAdd:
    """Tell what adding a payee would come to; nothing is written.

    Raises:
        Refused: there is no such account to pay.
        PayeeExists: it is saved under another name.
        NoNickname, InvalidText
        BranchDown: the account's branch does not answer.
    """
    name = _nickname(nickname)
    _find(user, account=account, nickname=name)
    found = payee_account(account)
    is_own = Holding.objects.filter(user_id=user, account=account).exists()
    return PayeeToAdd(
        account=account,
        nickname=name,
        name=found.name,
        limit=None if is_own else cooling_limit(found.currency),
    )


def payees_of(user: int, *, after: Sequence[str] | None, limit: int, text: str = "") -> list[Payee]:
    """Return up to ``limit`` of a person's payees, newest first, after a position.

    With ``text``, those in whose nickname, name or account number it stands.
    """
    mine = Payee.objects.filter(user_id=user)
    sought = " ".join(text.split()).replace("\0", "")
    if sought:
        mine = mine.annotate(digits=Cast("account", CharField())).filter(
            Q(nickname__icontains=sought)
            | Q(name__icontains=sought)
            | Q(digits__contains=sought.replace(" ", ""))
        )
    return list(older(mine, by="added_at", than=after)[:limit])


def payees_shown(
    user: int, *, after: Sequence[str] | None, limit: int, text: str, now: datetime
) -> list[PayeeView]:
    """Return payees as ``payees_of`` does, each with when it was paid and until when it cools off.

    When it was paid is known of the newest thousand payments of each of the person's accounts.
    """
    found = payees_of(user, after=after, limit=limit, text=text)
    paid = _last_paid(user, found)
    cooling = cooling_until(found, now=now)
    return [PayeeView(one, paid.get(one.account), cooling.get(one.account)) for one in found]


def _last_paid(user: int, payees: Sequence[Payee]) -> dict[int, datetime]:
    mine = list(held_by(user))
    accounts = [payee.account for payee in payees]
    found = ask_everywhere(lambda node: last_paid(mine, payees=accounts, using=node))
    # Of several nodes, or none: ids are in the order of time.
    return {payee: recorded_at(transfer) for payee, transfer in sorted(found)}


def rename_payee(user: int, *, payee: UUID, nickname: str) -> Payee:
    """Give a payee another name.

    Raises:
        UnknownPayee, NoNickname, InvalidText
    """
    found = payee_of_person(user, payee=payee)
    found.nickname = _nickname(nickname)
    found.save(update_fields=["nickname"])
    return found


def remove_payee(user: int, *, payee: UUID) -> None:
    """Forget a payee; whoever is not cooled off cools on.

    Raises:
        UnknownPayee
    """
    payee_of_person(user, payee=payee).delete()


def payee_of_person(user: int, *, payee: UUID) -> Payee:
    """Return one of a person's payees.

    Raises:
        UnknownPayee
    """
    found = Payee.objects.filter(pk=payee, user_id=user).first()
    if found is None:
        message = _("There is no such payee of yours.")
        raise UnknownPayee(message)
    return found


def _find(user: int, *, account: int, nickname: str) -> Payee | None:
    """Return the payee that the same wish added before, or None.

    Raises:
        PayeeExists: the account is saved under another name.
    """
    found = Payee.objects.filter(user_id=user, account=account).first()
    if found is not None and found.nickname != nickname:
        message = _("This account is saved already, as %(nickname)s.") % {
            "nickname": found.nickname
        }
        raise PayeeExists(message, field="account")
    return found


def _nickname(text: str) -> str:
    nickname = one_line(text, longest=LONGEST_NICKNAME, field="nickname")
    if not nickname:
        message = _("Give the payee a name.")
        raise NoNickname(message, field="nickname")
    return nickname
