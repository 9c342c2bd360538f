"""The words of notices, the same in the inbox, in mails and in SMS, in today's language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.money import Money
from notifications.notices.models import NoticeKind

Writer = Callable[[Money], str]
"""How an amount is written, where that is read."""

_STATUSES: Final = {
    "active": gettext_lazy("open"),
    "frozen": gettext_lazy("frozen"),
    "closed": gettext_lazy("closed"),
}
_CARDS: Final = {
    "issued": gettext_lazy("Your new card is there. Activate it to be shown its number."),
    "activated": gettext_lazy("Your card …%(ends)s is active."),
    "frozen": gettext_lazy("Your card …%(ends)s is frozen and pays nothing."),
    "unfrozen": gettext_lazy("Your card …%(ends)s pays again."),
    "blocked": gettext_lazy("The bank blocked your card …%(ends)s for good."),
}
_DISPUTES: Final = {
    "accepted": gettext_lazy("The bank agrees with you: dispute %(dispute)s is accepted"),
    "declined": gettext_lazy("The bank has declined dispute %(dispute)s"),
}
_LAST_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Wording:
    """A notice in a line, and in a sentence or two. ``page`` is where more is to be seen."""

    title: str
    text: str
    page: str


def wording_of(kind: str, data: Mapping[str, Any], *, write: Writer) -> Wording:
    """Word a notice from what was recorded of it."""
    return _WORDINGS[NoticeKind(kind)](data, write)


def account_end(number: int) -> str:
    """Return how an account is named where anybody may look over one's shoulder."""
    return f"…{str(number)[-_LAST_DIGITS:]}"


def _log_in(data: Mapping[str, Any], _write: Writer) -> Wording:
    told = {"device": data["device"], "address": data["address"]}
    return Wording(
        _("You logged in"),
        _("With %(device)s from %(address)s. If that was not you, change your password.") % told,
        "/security/",
    )


def _security(data: Mapping[str, Any], _write: Writer) -> Wording:
    text = _("If that was not you, change your password and call the bank.")
    return Wording(data["title"], text, "/security/")


def _money(data: Mapping[str, Any], write: Writer, title: str) -> Wording:
    told = {
        "amount": write(Money(data["amount"], data["currency"])),
        "account": account_end(data["account"]),
    }
    balance = write(Money(data["balance"], data["currency"]))
    text = _("Balance now: %(balance)s.") % {"balance": balance}
    if data.get("memo"):
        text = f"{data['memo']}. {text}"
    return Wording(title % told, text, f"/accounts/{data['account']}/")


def _money_out(data: Mapping[str, Any], write: Writer) -> Wording:
    return _money(data, write, _("%(amount)s left account %(account)s"))


def _money_in(data: Mapping[str, Any], write: Writer) -> Wording:
    return _money(data, write, _("%(amount)s came to account %(account)s"))


def _low_balance(data: Mapping[str, Any], write: Writer) -> Wording:
    told = {
        "account": account_end(data["account"]),
        "balance": write(Money(data["balance"], data["currency"])),
        "limit": write(Money(data["threshold"], data["currency"])),
    }
    return Wording(
        _("Account %(account)s is low") % told,
        _("It has %(balance)s, less than the %(limit)s that you set.") % told,
        f"/accounts/{data['account']}/",
    )


def _standing_order_failed(data: Mapping[str, Any], write: Writer) -> Wording:
    told = {
        "amount": write(Money(data["amount"], data["currency"])),
        "payee": account_end(data["payee"]),
        "reason": data["reason"],
    }
    # Notices of an earlier release do not tell whether the order goes on.
    if data.get("has_ended"):
        title = _("A standing order has ended")
        text = _("%(amount)s to account %(payee)s is not paid any more: %(reason)s")
    else:
        title = _("A standing order was not carried out")
        text = _("%(amount)s to account %(payee)s: %(reason)s")
    return Wording(
        title,
        text % told,
        f"/standing-orders/{data['order']}/",
    )


def _payee_added(data: Mapping[str, Any], _write: Writer) -> Wording:
    told = {"name": data["name"], "account": account_end(data["account"])}
    return Wording(
        _("A new payee: %(name)s") % told,
        _("Account %(account)s can be paid now. If you did not add it, call the bank.") % told,
        "/payees/",
    )


def _status_changed(data: Mapping[str, Any], _write: Writer) -> Wording:
    told = {
        "account": account_end(data["account"]),
        "status": str(_STATUSES.get(data["status"], data["status"])),
    }
    return Wording(
        _("Account %(account)s is %(status)s now") % told,
        _("Ask your branch if you did not expect that."),
        f"/accounts/{data['account']}/",
    )


def _card_changed(data: Mapping[str, Any], _write: Writer) -> Wording:
    return Wording(
        str(_CARDS[data["news"]]) % {"ends": data["ends"]},
        _("Call the bank if you did not expect that."),
        f"/cards/{data['card']}/",
    )


def _card_declined(data: Mapping[str, Any], write: Writer) -> Wording:
    told = {
        "ends": data["ends"],
        "merchant": data["merchant"],
        "amount": write(Money(data["amount"], data["currency"])),
        "reason": data["reason"],
    }
    return Wording(
        _("Your card …%(ends)s did not pay") % told,
        _("%(amount)s at %(merchant)s: %(reason)s") % told,
        f"/cards/{data['card']}/",
    )


def _loan(data: Mapping[str, Any], write: Writer) -> Wording:
    """Word what is due: in days to come, where none has passed since."""
    told = {
        "amount": write(Money(data["amount"], data["currency"])),
        "loan": account_end(data["loan"]),
        "account": account_end(data["account"]),
        "day": date_format(date.fromisoformat(data["day"]), "DATE_FORMAT"),
        "days": data["days_late"],
    }
    page = f"/loans/{data['loan']}/"
    if not data["days_late"]:
        text = _("An instalment of loan %(loan)s is taken from account %(account)s then.")
        return Wording(_("%(amount)s is due on %(day)s") % told, text % told, page)
    text = ngettext(
        "Loan %(loan)s is %(days)s day late. Please pay, or talk to your branch.",
        "Loan %(loan)s is %(days)s days late. Please pay, or talk to your branch.",
        data["days_late"],
    )
    return Wording(_("%(amount)s has been due since %(day)s") % told, text % told, page)


def _dispute(data: Mapping[str, Any], _write: Writer) -> Wording:
    title = str(_DISPUTES[data["state"]]) % {"dispute": data["dispute"]}
    return Wording(title, data["words"], f"/transfers/{data['transfer']}/")


_WORDINGS: Final[Mapping[NoticeKind, Callable[[Mapping[str, Any], Writer], Wording]]] = {
    NoticeKind.LOG_IN: _log_in,
    NoticeKind.SECURITY: _security,
    NoticeKind.MONEY_OUT: _money_out,
    NoticeKind.MONEY_IN: _money_in,
    NoticeKind.LOW_BALANCE: _low_balance,
    NoticeKind.STANDING_ORDER_FAILED: _standing_order_failed,
    NoticeKind.PAYEE_ADDED: _payee_added,
    NoticeKind.STATUS_CHANGED: _status_changed,
    NoticeKind.CARD_CHANGED: _card_changed,
    NoticeKind.CARD_DECLINED: _card_declined,
    NoticeKind.DISPUTE: _dispute,
    NoticeKind.LOAN: _loan,
}
