"""Addresses of these pages, below the Django admin's."""

from django.urls import path

from portals.administration import activity, books, journal, log_ins, nodes, risk
from portals.reports import monthly_pages

urlpatterns = [
    path("log-ins/", log_ins.log_ins, name="admin-log-ins"),
    path("log-ins.csv", log_ins.log_in_file, name="admin-log-ins-file"),
    path("activity/", activity.activity, name="admin-activity"),
    path("activity.csv", activity.activity_file, name="admin-activity-file"),
    path("trial-balance/", books.trial_balance, name="admin-trial-balance"),
    path("reconciliation/", books.reconciliation, name="admin-reconciliation"),
    path("journal/", journal.journal, name="admin-journal"),
    path("nodes/", nodes.node_panel, name="admin-nodes"),
    path("risk/", risk.risk, name="admin-risk"),
    path("risk/appoint/", risk.appoint, name="admin-risk-appoint"),
    path("risk/train/", risk.retrain, name="admin-risk-train"),
    path("risk/rescore/", risk.rescore, name="admin-risk-rescore"),
    path("monthly-report/", monthly_pages.monthly, name="admin-monthly-report"),
    path("monthly-report.pdf", monthly_pages.monthly_pdf, name="admin-monthly-report-pdf"),
    path("monthly-report.csv", monthly_pages.monthly_csv, name="admin-monthly-report-csv"),
    path("monthly-report/send/", monthly_pages.send, name="admin-monthly-report-send"),
]
