"""Addresses of these pages, below the Django admin's."""

from django.urls import path

from portals.administration import books, journal, log_ins, nodes

urlpatterns = [
    path("log-ins/", log_ins.log_ins, name="admin-log-ins"),
    path("log-ins.csv", log_ins.log_in_file, name="admin-log-ins-file"),
    path("trial-balance/", books.trial_balance, name="admin-trial-balance"),
    path("reconciliation/", books.reconciliation, name="admin-reconciliation"),
    path("journal/", journal.journal, name="admin-journal"),
    path("nodes/", nodes.node_panel, name="admin-nodes"),
]
