"""What a browser is told by the bank behind TLS: the settings of production, asked for real."""

import json
import os
import subprocess
import sys
from typing import Any, Final

import pytest

ASKING: Final = """
import json

import django
from django.conf import settings

# The others are collected where the bank is installed.
files = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
settings.STORAGES = {**settings.STORAGES, "staticfiles": files}
django.setup()

from django.test import Client

page = Client().get("/auth/login/", secure=True, headers={"host": "localhost"})
plain = Client().get("/auth/login/", headers={"host": "localhost"})
print(json.dumps({
    "status": page.status_code,
    "headers": dict(page.headers),
    "cookies": {name: cookie.OutputString() for name, cookie in page.cookies.items()},
    "plain": [plain.status_code, plain.headers.get("Location")],
}))
"""


@pytest.fixture(scope="module")
def answer() -> Any:
    """Give what the log-in page answers in production."""
    production = {"DJANGO_SETTINGS_MODULE": "bankproject.settings.prod", "TRUSTED_PROXY_COUNT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", ASKING],
        env={**os.environ, **production},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_says_for_a_year_that_only_https_is_meant(answer: Any) -> None:
    seconds, *more = answer["headers"]["Strict-Transport-Security"].split("; ")
    assert int(seconds.removeprefix("max-age=")) >= 31_536_000
    assert more == ["includeSubDomains", "preload"]
    assert answer["plain"] == [301, "https://localhost/auth/login/"]


def test_sends_cookies_that_stay_with_the_bank(answer: Any) -> None:
    assert "__Host-csrftoken" in answer["cookies"]
    for written in answer["cookies"].values():
        assert {"Secure", "SameSite=Lax", "Path=/"} <= set(written.split("; "))
        assert "Domain=" not in written


def test_keeps_pages_to_themselves(answer: Any) -> None:
    headers = answer["headers"]
    assert answer["status"] == 200
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert not [name for name in headers if name in {"Access-Control-Allow-Origin", "Server"}]
