"""Lighthouse on the pages that people see first: performance, accessibility, best practices.

Needs npm and Chromium; npm fetches Lighthouse. ``ROUNDS`` says how often each page is looked at:
the median counts.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from django.conf import settings
from django.urls import reverse

from tests.machine import BROWSERS
from tests.proofs._bank import django_on, own_bank
from tests.proofs._outcome import conclude
from tests.website import served

# The last one that runs on Node 20.
LIGHTHOUSE: Final = "lighthouse@12.8.2"
LEAST: Final = 0.95
CATEGORIES: Final = ("performance", "accessibility", "best-practices")


def main() -> int:
    """Run the proof."""
    rounds = int(os.environ.get("ROUNDS", "3"))
    counts: dict[str, object] = {}
    with own_bank() as bank, django_on(bank), tempfile.TemporaryDirectory() as folder:
        from tests.permissions._belongings import belongings_of
        from tests.permissions._cast import cast

        people, callers = cast()
        number = belongings_of(people).account
        pages = {
            "log_in": (reverse("account_login"), ""),
            "dashboard": (reverse("dashboard"), callers["customer A"].session),
            "statement": (reverse("statement", args=[number]), callers["customer A"].session),
            "transfer": (reverse("transfer-new"), callers["customer A"].session),
        }
        with served({**os.environ, **bank.environment, "BANK_VAR": folder}) as address:
            for name, (place, session) in pages.items():
                scores = [_scores(address + place, session, Path(folder)) for _ in range(rounds)]
                for category in CATEGORIES:
                    counts[f"{name}_{category}"] = statistics.median(
                        one[category] for one in scores
                    )
    failures = [f"{name} is below {LEAST}" for name, score in counts.items() if _is_low(score)]
    return conclude(name="lighthouse", seed=None, counts=counts, failures=failures)


def _is_low(score: object) -> bool:
    return not isinstance(score, float | int) or score < LEAST


def _scores(address: str, session: str, folder: Path) -> Mapping[str, float]:
    """Let Lighthouse look at a page, as somebody who is logged in, and return its scores."""
    report = folder / "report.json"
    cookie = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}"} if session else {}
    chromium = next(found for name in BROWSERS if (found := shutil.which(name)))
    command = [
        *("npx", "--yes", LIGHTHOUSE, address, "--quiet", "--preset=desktop"),
        "--chrome-flags=--headless=new --no-sandbox",
        f"--only-categories={','.join(CATEGORIES)}",
        f"--extra-headers={json.dumps(cookie)}",
        "--output=json",
        f"--output-path={report}",
    ]
    environment = {**os.environ, "CHROME_PATH": chromium}
    subprocess.run(command, check=True, capture_output=True, env=environment, timeout=300)
    found = json.loads(report.read_text(encoding="utf-8"))
    if found["finalDisplayedUrl"] != address:
        message = f"{address} led to {found['finalDisplayedUrl']}"
        raise RuntimeError(message)
    for audit in found["audits"].values():
        if audit["score"] == 0 and audit["scoreDisplayMode"] == "binary":
            print(f"  {address}: {audit['id']}", file=sys.stderr)
    return {name: found["categories"][name]["score"] for name in CATEGORIES}


if __name__ == "__main__":
    sys.exit(main())
