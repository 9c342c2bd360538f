"""Addresses of the balancer's control plane, under ``/api/v1/lb/``."""

from django.urls import path

from lb.control import api

urlpatterns = [
    path("backends", api.BackendList.as_view(), name="api-lb-backends"),
    path("backends/<uuid:backend_id>", api.BackendDetail.as_view(), name="api-lb-backend"),
    path(
        "backends/<uuid:backend_id>/heartbeat",
        api.BackendHeartbeat.as_view(),
        name="api-lb-backend-heartbeat",
    ),
    path("policy", api.BalancingPolicy.as_view(), name="api-lb-policy"),
    path("rate-limit", api.ClientRateLimit.as_view(), name="api-lb-rate-limit"),
    path("events", api.EventList.as_view(), name="api-lb-events"),
]
