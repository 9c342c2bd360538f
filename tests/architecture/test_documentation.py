"""The documentation is a whole site, and what it says of the code is true."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from django.db import connection

from bankproject.reference.pages import FOLDER, PAGES, PROJECT
from bankproject.reference.schema import made_by_sql
from bankproject.reference.settings import settings
from tests.openapi import operations

DOCS: Final = PROJECT / "docs"
ASVS: Final = (FOLDER / "asvs.md").read_text("utf-8")
# Requirements of each section of ASVS 5.0.0, chapter by chapter.
SECTIONS: Final = (
    (2, 10, 12, 3, 3),
    (3, 3, 5, 2),
    (1, 3, 5, 8, 8, 1, 5),
    (5, 5, 2, 4),
    (1, 6, 3, 3),
    (3, 12, 8, 6, 8, 4, 2, 4),
    (3, 4, 2, 5, 3, 2),
    (4, 4, 3, 2),
    (3, 4),
    (2, 3, 5, 16, 5, 2, 3),
    (4, 5, 5, 4, 2, 2, 2),
    (5, 2, 5),
    (4, 6, 4, 7),
    (2, 8, 3),
    (5, 5, 7, 4),
    (1, 5, 4, 3, 4),
    (2, 8, 2),
)
TO: Final = "\N{EN DASH}"
VERDICTS: Final = ("met", "partly", "not met", "deployer", "n/a")
COLUMNS: Final = """
SELECT 'ledger.' || c.relname, a.attname
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""


def requests_of_pages() -> list[str]:
    """Return the requests that pages show, without answers."""
    pages = (page.read_text("utf-8") for page in sorted(DOCS.rglob("*.md")))
    blocks = (
        block for page in pages for block in re.findall(r"```http\n(.*?)```", page, re.DOTALL)
    )
    return [block for block in blocks if " /api/" in block.partition("\n")[0]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the site as `make docs` builds it, which fails on dead links and forgotten pages."""
    folder = tmp_path_factory.mktemp("site")
    # Never --quiet: what is not said is not counted, and then nothing is strict.
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder)],
        cwd=PROJECT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_has_every_page(site: Path) -> None:
    made = {path.relative_to(site).with_suffix(".md") for path in site.rglob("*.html")}
    written = {path.relative_to(DOCS) for path in DOCS.rglob("*.md")}
    missing = {str(page) for page in written - made if page.name != "README.md"}
    assert missing == {"reference/api-introduction.md"}


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = re.findall(r"<(?:script|link|img|iframe)\b[^>]*>", page.read_text("utf-8"))
        assert not [tag for tag in loaded if re.search(r'(?:src|href)="(?:https?:)?//', tag)]
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(\s*[\"']?(?:https?:)?//", sheet.read_text("utf-8"))


@pytest.mark.parametrize("name", PAGES)
def test_the_reference_is_current(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == PAGES[name](), "`make reference`"


def test_every_setting_says_what_it_is() -> None:
    assert [one.name for one in settings().values() if not one.meaning] == []


@pytest.mark.django_db
def test_the_schema_page_has_the_columns_there_are() -> None:
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        there_are = set(cursor.fetchall())
    assert {
        (name, one) for name, made in made_by_sql().items() for one in made.columns
    } == there_are


def items() -> Iterator[tuple[str, str]]:
    """Go through the items of the ASVS page, each with its verdict."""
    row = re.compile(rf"^\| ([\d.]+(?:{TO}[\d.]+)?) \| .*? \| .*? \| (.*?) \|", re.MULTILINE)
    for named, verdict in row.findall(ASVS):
        first, _, last = named.partition(TO)
        section, _, number = first.rpartition(".")
        until = int(last.rpartition(".")[2]) if last else int(number)
        for one in range(int(number), until + 1):
            yield f"{section}.{one}", verdict


def test_every_item_of_the_asvs_has_one_verdict() -> None:
    expected = [
        f"{chapter}.{section}.{item}"
        for chapter, sections in enumerate(SECTIONS, 1)
        for section, count in enumerate(sections, 1)
        for item in range(1, count + 1)
    ]
    assert len(expected) == 345
    assert [name for name, _verdict in items()] == expected


def test_the_asvs_page_counts_its_verdicts() -> None:
    found = [verdict for _name, verdict in items()]
    assert set(found) == set(VERDICTS)
    for verdict in VERDICTS:
        assert f"| {verdict} | {found.count(verdict)} |" in ASVS


def test_every_test_that_a_page_names_is_there() -> None:
    pages = "".join(page.read_text("utf-8") for page in DOCS.rglob("*.md"))
    named = set(re.findall(r"`(tests/[\w/]+\.\w+)(?:::\w+)?`", pages))
    assert len(named) > 50
    assert sorted(name for name in named if not (PROJECT / name).exists()) == []


@pytest.mark.parametrize("request_", requests_of_pages(), ids=lambda one: one[:60])
def test_a_request_of_a_page_is_one_of_the_api(request_: str) -> None:
    """What requests do is tested where they are: here, that address and body are right."""
    head, _, body = request_.partition("\n\n")
    method, address = head.split()[:2]
    (meant,) = (
        one
        for one in operations()
        if one.method == method.lower()
        and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one.address), address)
    )
    assert bool(body) == (meant.body is not None)
    if meant.body is not None:
        assert set(meant.body["required"]) <= set(json.loads(body)) <= set(meant.body["properties"])
