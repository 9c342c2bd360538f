"""Addresses of people, under ``/api/v1/``."""

from django.urls import path

from accounts.api import (
    access_log,
    approvals,
    auth,
    branches,
    keys,
    logins,
    me,
    people,
    registration,
    sessions,
    webhooks,
)

urlpatterns = [
    path("auth/login", auth.LogIn.as_view(), name="api-auth-login"),
    path("auth/mfa", auth.SecondFactor.as_view(), name="api-auth-mfa"),
    path("auth/refresh", auth.Refresh.as_view(), name="api-auth-refresh"),
    path("auth/register", registration.SignUp.as_view(), name="api-auth-register"),
    path("auth/logout", auth.LogOut.as_view(), name="api-auth-logout"),
    path("branches", branches.BranchList.as_view(), name="api-branches"),
    path("me", me.Me.as_view(), name="api-me"),
    path("me/access-log", access_log.AccessLog.as_view(), name="api-access-log"),
    path("me/keys", keys.KeyList.as_view(), name="api-keys"),
    path("me/keys/<uuid:key_id>", keys.KeyDetail.as_view(), name="api-key"),
    path("me/logins", logins.LogInList.as_view(), name="api-logins"),
    path("me/sessions", sessions.SessionList.as_view(), name="api-sessions"),
    path("me/sessions/<uuid:session_id>", sessions.SessionDetail.as_view(), name="api-session"),
    path("webhooks", webhooks.EndpointList.as_view(), name="api-webhooks"),
    path("webhooks/<uuid:endpoint_id>", webhooks.EndpointDetail.as_view(), name="api-webhook"),
    path(
        "webhooks/<uuid:endpoint_id>/rotate-secret",
        webhooks.SecretRotation.as_view(),
        name="api-webhook-rotate-secret",
    ),
    path(
        "webhooks/<uuid:endpoint_id>/test",
        webhooks.EndpointTest.as_view(),
        name="api-webhook-test",
    ),
    path(
        "webhooks/<uuid:endpoint_id>/deliveries",
        webhooks.DeliveryList.as_view(),
        name="api-webhook-deliveries",
    ),
    path(
        "webhooks/deliveries/<uuid:delivery_id>/redeliver",
        webhooks.Redelivery.as_view(),
        name="api-webhook-redeliver",
    ),
    path("admin/customers", people.CustomerList.as_view(), name="api-admin-customers"),
    path(
        "admin/customers/<str:user_id>", people.CustomerDetail.as_view(), name="api-admin-customer"
    ),
    path(
        "admin/customers/<str:user_id>/invitation",
        people.CustomerInvitation.as_view(),
        name="api-admin-customer-invitation",
    ),
    path("admin/login-statistics", logins.LogInStatistics.as_view(), name="api-login-statistics"),
    path("admin/people", people.PersonList.as_view(), name="api-admin-people"),
    path("admin/people/<str:user_id>", people.PersonDetail.as_view(), name="api-admin-person"),
    path(
        "admin/people/<str:user_id>/status",
        people.PersonStatus.as_view(),
        name="api-admin-person-status",
    ),
    path("admin/people/<str:user_id>/role", people.PersonRole.as_view(), name="api-admin-role"),
    path("admin/approvals", approvals.ApprovalList.as_view(), name="api-approvals"),
    path(
        "admin/approvals/<int:approval_id>",
        approvals.ApprovalDetail.as_view(),
        name="api-approval",
    ),
    path(
        "admin/approvals/<int:approval_id>/approve",
        approvals.ApprovalGiving.as_view(),
        name="api-approval-approve",
    ),
    path(
        "admin/approvals/<int:approval_id>/refuse",
        approvals.ApprovalRefusal.as_view(),
        name="api-approval-refuse",
    ),
]
