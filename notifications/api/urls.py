"""Addresses of messages and webhooks, under ``/api/v1/``."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
