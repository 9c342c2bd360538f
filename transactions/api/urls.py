"""Addresses of money, under ``/api/v1/``."""

from django.urls import path

from transactions.api import (
    accounts,
    admin_accounts,
    admin_closing,
    admin_fraud,
    admin_limits,
    batches,
    card_payments,
    cards,
    cash,
    disputes,
    holders,
    holds,
    limits,
    operations,
    payees,
    payment_files,
    reversals,
    standing_orders,
    statement_files,
    statements,
    transfers,
)

urlpatterns = [
    # What is asked for most comes first: whatever stands before is tried before.
    path("transfers", transfers.TransferList.as_view(), name="api-transfers"),
    path(
        "accounts/<str:number>/statement", statements.StatementPage.as_view(), name="api-statement"
    ),
    path("accounts", accounts.AccountList.as_view(), name="api-accounts"),
    path("accounts/<str:number>", accounts.AccountDetail.as_view(), name="api-account"),
    path(
        "accounts/<str:number>/statement-file",
        statement_files.StatementFile.as_view(),
        name="api-statement-file",
    ),
    path("accounts/<str:number>/last-five", statements.LastFive.as_view(), name="api-last-five"),
    path("accounts/<str:number>/balance", statements.BalanceShown.as_view(), name="api-balance"),
    path(
        "accounts/<str:number>/holders",
        holders.AccountHolders.as_view(),
        name="api-account-holders",
    ),
    path("deposits", cash.DepositCreate.as_view(), name="api-deposits"),
    path("withdrawals", cash.WithdrawalCreate.as_view(), name="api-withdrawals"),
    path("transfers/preview", transfers.TransferPreview.as_view(), name="api-transfer-preview"),
    path("transfers/<uuid:transfer_id>", transfers.TransferDetail.as_view(), name="api-transfer"),
    path(
        "transfers/<uuid:transfer_id>/reversal-requests",
        reversals.ReversalRequests.as_view(),
        name="api-reversal-requests",
    ),
    path(
        "transfers/<uuid:transfer_id>/disputes",
        disputes.MovementDisputes.as_view(),
        name="api-transfer-disputes",
    ),
    path("disputes", disputes.DisputeList.as_view(), name="api-disputes"),
    path("transfer-batches", batches.TransferBatch.as_view(), name="api-transfer-batches"),
    path("payment-files", payment_files.PaymentFiles.as_view(), name="api-payment-files"),
    path("holds", holds.HoldList.as_view(), name="api-holds"),
    path("holds/<uuid:hold_id>", holds.HoldDetail.as_view(), name="api-hold"),
    path("holds/<uuid:hold_id>/capture", holds.HoldCapture.as_view(), name="api-hold-capture"),
    path("holds/<uuid:hold_id>/release", holds.HoldRelease.as_view(), name="api-hold-release"),
    path("accounts/<str:number>/limits", limits.AccountLimits.as_view(), name="api-limits"),
    path("cards", cards.CardList.as_view(), name="api-cards"),
    path("cards/<uuid:card_id>", cards.CardDetail.as_view(), name="api-card"),
    path("cards/<uuid:card_id>/activate", cards.CardActivation.as_view(), name="api-card-activate"),
    path("cards/<uuid:card_id>/freeze", cards.CardFreezing.as_view(), name="api-card-freeze"),
    path("cards/<uuid:card_id>/unfreeze", cards.CardUnfreezing.as_view(), name="api-card-unfreeze"),
    path(
        "cards/<uuid:card_id>/payments", cards.PaymentsOfCard.as_view(), name="api-payments-of-card"
    ),
    path("card-payments", card_payments.CardPaymentList.as_view(), name="api-card-payments"),
    path(
        "card-payments/<uuid:payment_id>",
        card_payments.CardPaymentDetail.as_view(),
        name="api-card-payment",
    ),
    path(
        "card-payments/<uuid:payment_id>/capture",
        card_payments.CardPaymentCapture.as_view(),
        name="api-card-payment-capture",
    ),
    path(
        "card-payments/<uuid:payment_id>/release",
        card_payments.CardPaymentRelease.as_view(),
        name="api-card-payment-release",
    ),
    path("payees", payees.PayeeList.as_view(), name="api-payees"),
    path("payees/<uuid:payee_id>", payees.PayeeDetail.as_view(), name="api-payee"),
    path(
        "payee-confirmations/<str:number>",
        payees.PayeeConfirmation.as_view(),
        name="api-payee-confirmation",
    ),
    path(
        "standing-orders",
        standing_orders.StandingOrderList.as_view(),
        name="api-standing-orders",
    ),
    path(
        "standing-orders/<uuid:order_id>",
        standing_orders.StandingOrderDetail.as_view(),
        name="api-standing-order",
    ),
    path(
        "standing-orders/<uuid:order_id>/payments",
        standing_orders.StandingOrderPayments.as_view(),
        name="api-standing-order-payments",
    ),
    path(
        "standing-orders/<uuid:order_id>/pause",
        standing_orders.StandingOrderPause.as_view(),
        name="api-standing-order-pause",
    ),
    path(
        "standing-orders/<uuid:order_id>/resume",
        standing_orders.StandingOrderResume.as_view(),
        name="api-standing-order-resume",
    ),
    path(
        "standing-orders/<uuid:order_id>/skip",
        standing_orders.StandingOrderSkip.as_view(),
        name="api-standing-order-skip",
    ),
    path(
        "standing-orders/<uuid:order_id>/cancel",
        standing_orders.StandingOrderCancel.as_view(),
        name="api-standing-order-cancel",
    ),
    path("admin/fraud-alerts", admin_fraud.FraudAlerts.as_view(), name="api-fraud-alerts"),
    path(
        "admin/fraud-alerts/<uuid:alert_id>",
        admin_fraud.FraudAlertDetail.as_view(),
        name="api-fraud-alert",
    ),
    path(
        "admin/fraud-alerts/<uuid:alert_id>/decision",
        admin_fraud.FraudAlertDecision.as_view(),
        name="api-fraud-alert-decision",
    ),
    path(
        "admin/accounts",
        admin_accounts.GovernedAccountList.as_view(),
        name="api-admin-accounts",
    ),
    path(
        "admin/accounts/<str:number>",
        admin_accounts.GovernedAccountDetail.as_view(),
        name="api-admin-account",
    ),
    path(
        "admin/accounts/<str:number>/close",
        admin_closing.AccountClosing.as_view(),
        name="api-admin-account-close",
    ),
    path(
        "admin/accounts/<str:number>/freeze",
        admin_accounts.AccountFreezing.as_view(),
        name="api-admin-account-freeze",
    ),
    path(
        "admin/accounts/<str:number>/unfreeze",
        admin_accounts.AccountUnfreezing.as_view(),
        name="api-admin-account-unfreeze",
    ),
    path(
        "admin/accounts/<str:number>/limits",
        admin_limits.GovernedLimits.as_view(),
        name="api-admin-account-limits",
    ),
    path(
        "admin/accounts/<str:number>/overdraft",
        admin_limits.GovernedOverdraft.as_view(),
        name="api-admin-account-overdraft",
    ),
    path(
        "admin/accounts/<str:number>/holders/<str:user_id>",
        admin_accounts.AccountHolder.as_view(),
        name="api-admin-account-holder",
    ),
    path("admin/operations", operations.OperationLog.as_view(), name="api-operations"),
    path("admin/transactions", operations.TransactionList.as_view(), name="api-admin-transactions"),
]
