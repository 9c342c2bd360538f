"""What stands in the sidebar of the Django admin: what somebody may do there, and nothing else."""

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.approvals import DECIDE, waiting_for

_INBOX: Final = "admin:accounts_approval_changelist"


@dataclass(frozen=True, slots=True)
class Entry:
    """A page; ``permissions`` are those of which one lets in, none: every admin."""

    title: str | Promise
    icon: str
    address: str
    permissions: tuple[str, ...] = ()


_GROUPS: Final[tuple[tuple[str | Promise, tuple[Entry, ...]], ...]] = (
    (
        "",
        (
            Entry(_("Overview"), "space_dashboard", "admin:index"),
            Entry(
                _("Approvals"),
                "fact_check",
                _INBOX,
                ("accounts.view_approval",),
            ),
        ),
    ),
    (
        _("Desks"),
        (
            Entry(
                _("Cash desk"),
                "payments",
                "admin:transactions_cashdesk_changelist",
                ("transactions.book_cash", "transactions.fill_with_cash"),
            ),
            Entry(
                _("Account desk"),
                "manage_accounts",
                "admin:transactions_accountdesk_changelist",
                ("transactions.govern_account",),
            ),
            Entry(
                _("Loan applications"),
                "request_quote",
                "admin:loans_loanapplication_changelist",
                ("loans.view_loanapplication",),
            ),
            Entry(
                _("Loans"),
                "real_estate_agent",
                "admin:loans_loan_changelist",
                ("loans.view_loan",),
            ),
        ),
    ),
    (
        _("People"),
        (
            Entry(_("People"), "group", "admin:accounts_user_changelist", ("accounts.view_user",)),
            Entry(
                _("Groups"),
                "shield_person",
                "admin:auth_group_changelist",
                ("auth.view_group",),
            ),
            Entry(
                _("Accounts"),
                "account_balance_wallet",
                "admin:accounts_account_changelist",
                ("accounts.view_account",),
            ),
            Entry(
                _("Cards"),
                "credit_card",
                "admin:accounts_card_changelist",
                ("accounts.view_card",),
            ),
            Entry(
                _("Card payments"),
                "contactless",
                "admin:transactions_cardpayment_changelist",
                ("transactions.view_cardpayment",),
            ),
        ),
    ),
    (
        _("Books"),
        (
            Entry(_("Trial balance"), "balance", "admin-trial-balance"),
            Entry(_("Reconciliation"), "rule", "admin-reconciliation"),
            Entry(_("Journal"), "menu_book", "admin-journal"),
        ),
    ),
    (
        _("Bank"),
        (
            Entry(_("Nodes"), "dns", "admin-nodes"),
            Entry(_("Load balancer"), "lan", "admin-servers"),
            Entry(
                _("Products"),
                "savings",
                "admin:transactions_productterms_changelist",
                ("transactions.view_productterms",),
            ),
            Entry(
                _("Loan products"),
                "percent",
                "admin:loans_loanterms_changelist",
                ("loans.view_loanterms",),
            ),
            Entry(
                _("Holidays"),
                "event_busy",
                "admin:transactions_holiday_changelist",
                ("transactions.view_holiday",),
            ),
            Entry(
                _("Days closed"),
                "event_available",
                "admin:transactions_bankday_changelist",
                ("transactions.view_bankday",),
            ),
            Entry(
                _("Branches"),
                "account_balance",
                "admin:accounts_branch_changelist",
                ("accounts.view_branch",),
            ),
        ),
    ),
    (
        _("Oversight"),
        (
            Entry(
                _("Fraud alerts"),
                "gpp_maybe",
                "admin:transactions_fraudalert_changelist",
                ("transactions.view_fraudalert",),
            ),
            Entry(
                _("Disputes"),
                "contact_support",
                "admin:transactions_dispute_changelist",
                ("transactions.view_dispute",),
            ),
            Entry(_("Default risk"), "query_stats", "admin-risk", ("loans.view_riskmodel",)),
            Entry(_("Log-ins"), "login", "admin-log-ins", ("accounts.view_login",)),
            Entry(
                _("Activity"),
                "query_stats",
                "admin-activity",
                ("portals.view_monthlyreport",),
            ),
            Entry(
                _("Monthly report"),
                "summarize",
                "admin-monthly-report",
                ("portals.view_monthlyreport",),
            ),
            Entry(
                _("Audit"),
                "history",
                "admin:accounts_auditentry_changelist",
                ("accounts.view_auditentry",),
            ),
            Entry(
                _("Changes of access"),
                "key",
                "admin:accounts_credentialchange_changelist",
                ("accounts.view_credentialchange",),
            ),
            Entry(
                _("Changes of status"),
                "person_alert",
                "admin:accounts_statuschange_changelist",
                ("accounts.view_statuschange",),
            ),
            Entry(
                _("Who looked at whom"),
                "visibility",
                "admin:accounts_viewing_changelist",
                ("accounts.view_viewing",),
            ),
        ),
    ),
    (
        _("Background work"),
        (
            Entry(_("Jobs"), "work_history", "admin:core_job_changelist", ("core.view_job",)),
            Entry(
                _("Messages"),
                "mail",
                "admin:notifications_message_changelist",
                ("notifications.view_message",),
            ),
            Entry(
                _("Time-table"),
                "schedule",
                "admin:django_celery_beat_periodictask_changelist",
                ("django_celery_beat.view_periodictask",),
            ),
            Entry(
                _("Results of tasks"),
                "task_alt",
                "admin:django_celery_results_taskresult_changelist",
                ("django_celery_results.view_taskresult",),
            ),
        ),
    ),
    (
        _("Webhooks"),
        (
            Entry(
                _("Endpoints"),
                "webhook",
                "admin:notifications_endpoint_changelist",
                ("notifications.view_endpoint",),
            ),
            Entry(
                _("Deliveries"),
                "outgoing_mail",
                "admin:notifications_delivery_changelist",
                ("notifications.view_delivery",),
            ),
        ),
    ),
)


def menu(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of the sidebar, as Unfold takes them."""
    found = []
    for title, entries in _GROUPS:
        items = [_item(request, entry) for entry in entries if _may_see(request, entry)]
        if items:
            found.append({"title": title, "items": items})
    return found


def _item(request: HttpRequest, entry: Entry) -> dict[str, Any]:
    count = 0
    if entry.address == _INBOX and request.user.has_perm(DECIDE):
        count = waiting_for(int(request.user.pk or 0)).count()
    return {
        "title": entry.title,
        "icon": entry.icon,
        "link": reverse(entry.address),
        "count": count,
    }


def _may_see(request: HttpRequest, entry: Entry) -> bool:
    wanted = entry.permissions
    return not wanted or any(request.user.has_perm(one) for one in wanted)
