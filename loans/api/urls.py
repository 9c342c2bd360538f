"""Addresses of lending, under ``/api/v1/``."""

from django.urls import path

from loans.api import admin, views

urlpatterns = [
    path("loan-products", views.LoanProductList.as_view(), name="api-loan-products"),
    path("loans/quote", views.LoanQuote.as_view(), name="api-loan-quote"),
    path("loans", views.LoanList.as_view(), name="api-loans"),
    path("loans/<str:loan_number>", views.LoanDetail.as_view(), name="api-loan"),
    path("loans/<str:loan_number>/payoff", views.LoanPayoff.as_view(), name="api-loan-payoff"),
    path(
        "loans/<str:loan_number>/repayments",
        views.LoanRepayments.as_view(),
        name="api-loan-repayments",
    ),
    path("loan-applications", views.LoanApplicationList.as_view(), name="api-loan-applications"),
    path(
        "loan-applications/<uuid:application_id>",
        views.LoanApplicationDetail.as_view(),
        name="api-loan-application",
    ),
    path(
        "loan-applications/<uuid:application_id>/submit",
        views.LoanApplicationSubmit.as_view(),
        name="api-loan-application-submit",
    ),
    path(
        "loan-applications/<uuid:application_id>/withdraw",
        views.LoanApplicationWithdraw.as_view(),
        name="api-loan-application-withdraw",
    ),
    path(
        "loan-applications/<uuid:application_id>/accept",
        views.LoanApplicationAccept.as_view(),
        name="api-loan-application-accept",
    ),
    path("admin/loans/<str:loan_number>", admin.GovernedLoan.as_view(), name="api-admin-loan"),
    path(
        "admin/loans/<str:loan_number>/restructure",
        admin.LoanRestructuring.as_view(),
        name="api-admin-loan-restructure",
    ),
    path(
        "admin/loans/<str:loan_number>/write-off",
        admin.LoanWriteOff.as_view(),
        name="api-admin-loan-write-off",
    ),
]
