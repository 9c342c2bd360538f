"""Addresses of the API, under ``/api/v1/``."""

from django.urls import path

from transactions import api

urlpatterns = [
    path("accounts", api.AccountList.as_view(), name="api-accounts"),
    path("accounts/<str:number>", api.AccountDetail.as_view(), name="api-account"),
    path("accounts/<str:number>/statement", api.StatementPage.as_view(), name="api-statement"),
    path("deposits", api.DepositCreate.as_view(), name="api-deposits"),
    path("withdrawals", api.WithdrawalCreate.as_view(), name="api-withdrawals"),
    path("transfers", api.TransferCreate.as_view(), name="api-transfers"),
    path("transfers/<uuid:transfer_id>", api.TransferDetail.as_view(), name="api-transfer"),
]
