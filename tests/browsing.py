"""Chromium for the tests: started once for a worker, and lent to one test after the other."""

from asyncio import AbstractEventLoop, _set_running_loop, get_running_loop
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright


@dataclass(frozen=True)
class Chromium:
    """A browser that runs, and the event loop by which it is spoken to."""

    browser: Browser
    loop: AbstractEventLoop

    @contextmanager
    def lent(self) -> Iterator[Browser]:
        """Lend the browser, and close what was opened in it.

        Within, an event loop runs, and Django talks to no database.
        """
        _set_running_loop(self.loop)
        try:
            yield self.browser
        finally:
            for context in self.browser.contexts:
                context.close()
            _set_running_loop(None)


@pytest.fixture(scope="session")
def chromium(chromium_program: Path) -> Iterator[Chromium]:
    """Start the machine's Chromium, for all tests of this worker."""
    with sync_playwright() as playwright:
        # Root may not use the sandbox; the pages are our own.
        browser = playwright.chromium.launch(
            executable_path=chromium_program, args=["--no-sandbox"]
        )
        loop = get_running_loop()
        # Only who borrows the browser is in its loop: other tests run loops of their own.
        _set_running_loop(None)
        yield Chromium(browser, loop)
        _set_running_loop(loop)
        browser.close()
