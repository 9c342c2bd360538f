"""Addresses of money, under ``/api/v1/``."""

from django.urls import path

from transactions.api import accounts, cash, transfers

urlpatterns = [
    path("accounts", accounts.AccountList.as_view(), name="api-accounts"),
    path("accounts/<str:number>", accounts.AccountDetail.as_view(), name="api-account"),
    path("accounts/<str:number>/statement", accounts.StatementPage.as_view(), name="api-statement"),
    path("deposits", cash.DepositCreate.as_view(), name="api-deposits"),
    path("withdrawals", cash.WithdrawalCreate.as_view(), name="api-withdrawals"),
    path("transfers", transfers.TransferCreate.as_view(), name="api-transfers"),
    path("transfers/<uuid:transfer_id>", transfers.TransferDetail.as_view(), name="api-transfer"),
]
