"""Addresses of the pages."""

from django.urls import path

from portals import (
    aliases,
    components,
    notifications,
    outbox,
    preferences,
    profile,
    security,
    staying,
)
from portals.customer import (
    bulk,
    cards,
    cash,
    files,
    insights,
    limits,
    loans,
    movements,
    payees,
    scheduled,
    standing_orders,
    statements,
    transfers,
    views,
)
from portals.employee import (
    accounts,
    approvals,
    branches,
    customers,
    nodes,
    operations,
    search,
)
from portals.employee import loans as staff_loans
from portals.employee import transfers as staff_transfers
from portals.reports import account_pages, branch_pages
from portals.reports.pictures import KINDS
from transactions.statements.files import FORMATS

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("accounts/", views.accounts, name="accounts"),
    path("insights/", insights.insights, name="insights"),
    path("insights.csv", insights.insights_file, name="insights-file"),
    path("accounts/<int:number>/", statements.statement, name="statement"),
    *(
        path(
            f"accounts/<int:number>/statement.{form}",
            files.statement,
            {"form": form},
            f"statement-{form}",
        )
        for form in FORMATS
    ),
    path("accounts/<int:number>/course/", account_pages.account_course, name="account-course"),
    *(
        path(
            f"accounts/<int:number>/course.{form}",
            account_pages.account_picture,
            {"form": form},
            f"account-picture-{form}",
        )
        for form in KINDS
    ),
    path("accounts/<int:number>/monthly-statement/", statements.monthly, name="monthly-statement"),
    path("accounts/<int:number>/holders/", views.holders_page, name="holders"),
    path("accounts/<int:number>/terms/", views.account_terms, name="account-terms"),
    path("accounts/<int:number>/limits/", limits.limits, name="limits"),
    path("cards/", cards.cards, name="cards"),
    path("cards/new/", cards.ask, name="card-new"),
    path("cards/<uuid:card_id>/", cards.card, name="card"),
    path("cards/<uuid:card_id>/activate/", cards.activate, name="card-activate"),
    path("cards/<uuid:card_id>/freeze/", cards.freeze, name="card-freeze"),
    path("cards/<uuid:card_id>/unfreeze/", cards.unfreeze, name="card-unfreeze"),
    path("cash/", cash.cash, name="cash"),
    path("transfers/new/", transfers.enter, name="transfer-new"),
    path("transfers/check/<uuid:token>/", transfers.check, name="transfer-check"),
    path("transfers/send/<uuid:token>/", transfers.send, name="transfer-send"),
    path("transfers/scheduled/", scheduled.scheduled, name="scheduled"),
    path(
        "transfers/scheduled/<int:scheduled_id>/cancel/", scheduled.cancel, name="scheduled-cancel"
    ),
    path("transfers/<uuid:transfer_id>/", movements.receipt, name="receipt"),
    path("transfers/<uuid:transfer_id>/receipt.pdf", files.receipt, name="receipt-pdf"),
    path("transfers/<uuid:transfer_id>/category/", movements.category, name="movement-category"),
    path("payment-files/", bulk.payment_files, name="payment-files"),
    path("payment-files/<uuid:file_id>/", bulk.payment_file, name="payment-file"),
    path("payment-files/<uuid:file_id>/send/", bulk.send, name="payment-file-send"),
    path("payees/", payees.payees, name="payees"),
    path("payees/new/", payees.add, name="payee-new"),
    path("payees/<uuid:payee_id>/name/", payees.rename, name="payee-name"),
    path("payees/<uuid:payee_id>/remove/", payees.remove, name="payee-remove"),
    path("standing-orders/", standing_orders.standing_orders, name="standing-orders"),
    path("standing-orders/new/", standing_orders.enter, name="standing-order-new"),
    path("standing-orders/check/<uuid:token>/", standing_orders.check, name="standing-order-check"),
    path("standing-orders/<uuid:order_id>/", standing_orders.standing_order, name="standing-order"),
    *(
        path(f"standing-orders/<uuid:order_id>/{change}/", view, name=f"standing-order-{change}")
        for change, view in standing_orders.CHANGES.items()
    ),
    path("loans/", loans.loans, name="loans"),
    path("loans/quote/", loans.quoted, name="loan-quote"),
    path("loans/new/", loans.enter, name="loan-new"),
    path("loans/applications/<uuid:application_id>/", loans.application, name="loan-application"),
    path("loans/applications/<uuid:application_id>/submit/", loans.send_in, name="loan-submit"),
    path("loans/applications/<uuid:application_id>/withdraw/", loans.give_up, name="loan-withdraw"),
    path("loans/applications/<uuid:application_id>/accept/", loans.accept, name="loan-accept"),
    path("loans/<int:loan_number>/", loans.loan, name="loan"),
    path("loans/<int:loan_number>/pay/", loans.pay, name="loan-pay"),
    path("loans/<int:loan_number>/schedule.pdf", loans.schedule_file, name="loan-schedule-file"),
    path("staff/", search.search, name="staff-search"),
    path("staff/customers/<int:user_id>/", customers.overview, name="staff-customer"),
    path(
        "staff/customers/<int:user_id>/accounts/",
        customers.accounts_held,
        name="staff-customer-accounts",
    ),
    path(
        "staff/customers/<int:user_id>/movements/",
        customers.movements,
        name="staff-customer-movements",
    ),
    path("staff/customers/<int:user_id>/loans/", customers.loans, name="staff-customer-loans"),
    path("staff/customers/<int:user_id>/people/", customers.people, name="staff-customer-people"),
    path(
        "staff/customers/<int:user_id>/security/",
        customers.security,
        name="staff-customer-security",
    ),
    path(
        "staff/customers/<int:user_id>/messages/",
        customers.messages,
        name="staff-customer-messages",
    ),
    path("staff/customers/<int:user_id>/limits/", customers.limits, name="staff-customer-limits"),
    path(
        "staff/customers/<int:user_id>/timeline/",
        customers.timeline,
        name="staff-customer-timeline",
    ),
    path(
        "staff/customers/<int:user_id>/reveal/",
        customers.reveal_data,
        name="staff-customer-reveal",
    ),
    path("staff/accounts/<int:number>/", accounts.account, name="staff-account"),
    path("staff/transfers/", staff_transfers.transfers, name="staff-transfers"),
    path("staff/transfers.csv", staff_transfers.transfer_file, name="staff-transfers-file"),
    path("staff/transfers/<uuid:transfer_id>/", staff_transfers.transfer, name="staff-transfer"),
    path("staff/branches/", branches.branches, name="staff-branches"),
    path("staff/branches/<slug:code>/", branches.branch, name="staff-branch"),
    path("staff/branches/<slug:code>/day/", branch_pages.branch_summary, name="staff-branch-day"),
    path(
        "staff/branches/<slug:code>/day.csv",
        branch_pages.branch_summary_file,
        name="staff-branch-day-file",
    ),
    path("staff/loans/", staff_loans.loans, name="staff-loans"),
    path("staff/approvals/", approvals.approvals, name="staff-approvals"),
    path("staff/approvals/<int:approval_id>/", approvals.approval, name="staff-approval"),
    path("staff/operations/", operations.operation_log, name="operations"),
    path("staff/operations.csv", operations.operation_file, name="operations-file"),
    path("staff/operations/clear/", operations.clear, name="operations-clear"),
    path("staff/nodes/", nodes.nodes, name="nodes"),
    path("profile/", profile.profile, name="profile"),
    path("profile/looks/", profile.looks, name="looks"),
    path("inbox/", notifications.inbox, name="inbox"),
    path("inbox/read/", notifications.inbox_read, name="inbox-read"),
    path("notifications/", notifications.preferences, name="notifications"),
    path("notifications/phone/", notifications.phone, name="notifications-phone"),
    path("security/", security.security, name="security"),
    path("security/sessions/<uuid:session_id>/end/", security.session_end, name="session-end"),
    path("security/keys/new/", security.key_new, name="key-new"),
    path("security/keys/<uuid:key_id>/revoke/", security.key_revoke, name="key-revoke"),
    path("login", aliases.log_in, name="alias-login"),
    path("logout", aliases.log_out, name="alias-logout"),
    path("home", aliases.home, name="alias-home"),
    path("transactions", aliases.transactions, name="alias-transactions-page"),
    path("make_transactions", aliases.make_transactions, name="alias-make-transactions"),
    path("loan_application", aliases.loan_application, name="alias-loan-application"),
    path("register", aliases.register, name="alias-register"),
    path("amounts/", preferences.amounts, name="amounts"),
    path("language/", preferences.language, name="language"),
    path("theme/", preferences.theme, name="theme"),
    path("session/stay/", staying.stay, name="session-stay"),
    path("components/", components.components, name="components"),
    path("outbox/", outbox.outbox, name="outbox"),
]
