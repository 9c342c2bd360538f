"""The pages that show the OpenAPI, in a real browser: from our own files, within the policy."""

import threading
from collections.abc import Iterator
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.wsgi import get_wsgi_application

from tests.browsing import Chromium

# Redoc would fetch its emblem from elsewhere; the policy does not let it.
EMBLEM: Final = "https://cdn.redoc.ly/"


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    """Serve the bank from a thread; these pages ask no database."""
    with make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_pages_show_every_operation_and_break_no_policy(
    address: str, chromium: Chromium
) -> None:
    complaints: list[str] = []
    foreign: list[str] = []
    with chromium.lent() as browser:
        page = browser.new_page()
        page.on(
            "console",
            lambda said: (
                complaints.append(f"{said.location} {said.text}") if said.type == "error" else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("response", lambda answer: foreign.append(answer.url))
        page.goto(f"{address}/api/v1/docs/")
        page.get_by_text("/api/v1/accounts/{number}/statement").first.wait_for()
        page.get_by_text("Show a page of the statement, newest first").first.click()
        page.get_by_role("button", name="Try it out").first.wait_for()
        page.goto(f"{address}/api/v1/redoc/")
        page.get_by_role("heading", name="Show a page of the statement").first.wait_for()
    assert all(EMBLEM in text for text in complaints), complaints
    assert [url for url in foreign if not url.startswith((address, "data:"))] == []
