"""What a browser is told by the bank behind TLS: the settings of production, asked for real.

And what a process of the bank loads before it knows what it is for.
"""

import json
import os
import subprocess
import sys
from typing import Any, Final

import pytest
from django.core.management import call_command

ASKING: Final = """
import gc
import json
import sys

import django
from django.conf import settings

# The others are collected where the bank is installed.
files = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
settings.STORAGES = {**settings.STORAGES, "staticfiles": files}
django.setup()
loaded, collects = sorted(sys.modules), gc.isenabled()

from django.test import Client

page = Client().get("/auth/login/", secure=True, headers={"host": "localhost"})
plain = Client().get("/auth/login/", headers={"host": "localhost"})
print(json.dumps({
    "loaded": loaded,
    "collects": collects,
    "status": page.status_code,
    "headers": dict(page.headers),
    "cookies": {name: cookie.OutputString() for name, cookie in page.cookies.items()},
    "plain": [plain.status_code, plain.headers.get("Location")],
}))
"""

# What pages, pictures, files and models are made with: most processes make none.
HEAVY: Final = frozenset(
    {
        *("accounts.admin", "bankproject.urls", "transactions.api", "portals.urls"),
        *("fontTools", "lxml", "matplotlib", "numpy", "openpyxl", "pandas"),
        *("PIL", "rest_framework.views", "scipy", "sklearn", "typst", "unfold.admin", "xgboost"),
    }
)


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


def test_loads_nothing_heavy_before_somebody_needs_it(answer: Any) -> None:
    assert HEAVY & {*answer["loaded"]} == set()


def test_looks_for_garbage_once_it_has_started(answer: Any) -> None:
    assert answer["collects"]


def test_passes_the_checks_that_its_own_commands_leave_out() -> None:
    call_command("check")
