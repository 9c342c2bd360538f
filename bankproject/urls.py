"""Every address of the bank."""

from django.contrib import admin
from django.urls import include, path

from bankproject.health import health
from core.api import docs

urlpatterns = [
    path("health", health, name="health"),
    path("auth/", include("allauth.urls")),
    path("auth/", include("allauth.headless.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/openapi.json", docs.openapi, name=docs.DOCUMENT),
    path("api/v1/docs/", docs.SwaggerPage.as_view(), name="api-docs"),
    path("api/v1/redoc/", docs.RedocPage.as_view(), name="api-redoc"),
    path("api/v1/", include("accounts.api.urls")),
    path("api/v1/", include("transactions.api.urls")),
    path("api/v1/", include("notifications.api.urls")),
    path("", include("portals.urls")),
]

handler400 = "core.failures.bad_request"
handler403 = "core.failures.forbidden"
handler404 = "core.failures.not_found"
handler500 = "core.failures.server_error"
