"""Every address of the bank."""

from django.contrib import admin
from django.urls import include, path

from bankproject.health import health
from bankproject.metrics.page import metrics
from core.api import docs
from core.failures import nothing_here
from lb.control import handing_out, old_addresses, pages
from transactions.api import aliases

admin.autodiscover()

urlpatterns = [
    path("health", health, name="health"),
    # Money first: whatever stands before is tried before.
    path("api/v1/", include("transactions.api.urls")),
    path("api/v1/", include("loans.api.urls")),
    path("api/v1/", include("accounts.api.urls")),
    path("api/v1/lb/", include("lb.control.urls")),
    path("api/v1/openapi.json", docs.openapi, name=docs.DOCUMENT),
    path("api/v1/docs/", docs.SwaggerPage.as_view(), name="api-docs"),
    path("api/v1/redoc/", docs.RedocPage.as_view(), name="api-redoc"),
    path("internal/balancer/snapshot", handing_out.snapshot, name="balancer-snapshot"),
    path("auth/", include("allauth.urls")),
    # Nobody logs in by phone number, and allauth's address for one fails without.
    path("auth/app/v1/account/phone", nothing_here, name="no-phone"),
    path("auth/", include("allauth.headless.urls")),
    path("internal/metrics", metrics, name="metrics"),
    path("admin/servers", pages.servers, name="admin-servers"),
    path("admin/servers/<uuid:backend_id>", pages.server, name="admin-server"),
    path("admin/", include("portals.administration.urls")),
    path("admin/", admin.site.urls),
    path("api/get-balance", aliases.Balance.as_view(), name="alias-balance"),
    path("api/get-user-transactions", aliases.Transactions.as_view(), name="alias-transactions"),
    path("api/get-last-5-transactions", aliases.LastFive.as_view(), name="alias-last-five"),
    path("request", old_addresses.SendRequest.as_view(), name="alias-request"),
    path("deregister", old_addresses.Deregister.as_view(), name="alias-deregister"),
    path("", include("portals.urls")),
]

handler400 = "core.failures.bad_request"
handler403 = "core.failures.forbidden"
handler404 = "core.failures.not_found"
handler500 = "core.failures.server_error"
