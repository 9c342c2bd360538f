"""Every address of the bank."""

from django.urls import path

from bankproject.health import health

urlpatterns = [
    path("health", health, name="health"),
]
