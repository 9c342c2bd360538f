"""Every page in Hindi, as everybody who may see it: no words of it are left in English.

What stands on both pages alike is looked at: texts, and what readers of screens are told. Data is
in the language it was written in; what of it the tests make is named here.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final
from uuid import uuid4

import pytest
from babel.messages.catalog import Catalog

from bankproject import catalog
from tests.permissions._routes import Route, every_route
from tests.permissions.test_table import Trial, table, trial

__all__ = ["trial"]

# Shows what the database noted, as it noted it; names of rights are kept there, too.
_RAW: Final = frozenset(
    {
        "admin:accounts_auditentry_change",
        "admin:accounts_auditentry_changelist",
        "admin:accounts_auditentry_history",
        "admin:auth_group_add",
        "admin:auth_group_change",
        "admin:auth_group_delete",
    }
)
# In this order each page is looked at once: by whom it is for, as far as they are shown one.
EYES: Final = ("customer A", "superadmin", "employee", "anonymous")
_SAID: Final = ("alt", "aria-description", "aria-label", "data-label", "placeholder", "title")
_SILENT: Final = frozenset({"script", "style", "code"})
_WORD: Final = re.compile(r"[A-Za-z]{3,}")
# What the world calls so in every language, and ids; then what the tests call people and things.
_SAME: Final = re.compile(
    r"""Bankproject|PostgreSQL|JavaScript|English|Ctrl|Shift|API|SMS|UTC|CSV|PDF|PNG|SVG|OFX|MT940
    |CAMT\.053|[A-Z]{3}|(?:bank_)?[a-z0-9]{10}…?|(?:[a-z]+:(?:read|write))|[a-z]+\.[a-z_]+|\S+@\S+|[Hh]ttps?://\S+|[0-9a-fA-F-]{36}""",
    re.VERBOSE,
)
_OURS: Final = re.compile(
    r"Asha(?: Rao| R\.)?|Head office|HO|hired|Holi|test|Tellers|(?:Loan|Fraud|Dispute) officers"
    r"|Vikram Singh|wages"
    r"|back from abroad|sent twice|Bookshop|[Aa]pi-1|Personal loan|\(current\)"
    # Lists are filtered by what rows hold.
    r"|journal|security check|list of \w+|log_in"
    r"|personal data|changes of access|accounts\.change_role|fees"
)


class _Said(HTMLParser):
    """All that a page says, to eyes and to ears."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said: set[str] = set()
        self._silent: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element is called; let programs and pictures be."""
        if tag in _SILENT or "material-symbols-outlined" in str(dict(attrs).get("class")):
            self._silent.append(tag)
        self.said.update(words for name, words in attrs if name in _SAID and words)

    def handle_endtag(self, tag: str) -> None:
        """Listen again."""
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        """Note a text."""
        if not self._silent:
            self.said.add(" ".join(data.split()))


def pages() -> Iterator[tuple[Route, list[str]]]:
    """Give each page, and who may see it."""
    lines = table()
    for route in every_route():
        line = lines.get((route.name, "GET"), {})
        if not route.address.startswith("/api/") and route.name not in _RAW:
            yield route, [who for who in EYES if line.get(who) == "yes"]


def is_foreign(words: str) -> bool:
    """Tell whether there are Latin words in a text that are nobody's name."""
    return bool(_WORD.search(_OURS.sub("", _SAME.sub("", words))))


def said_on(trial: Trial, who: str, route: Route, language: str) -> set[str]:
    """Return what a page says in a language; nothing where it is no page."""
    address = route.filled(trial.belongings.ids_of(route))
    headers = {"Accept-Language": language, "Idempotency-Key": str(uuid4())}
    answer = trial.callers[who].send("GET", address, b"", headers)
    if answer.status_code != 200 or not answer.headers["Content-Type"].startswith("text/html"):
        return set()
    return _Said(answer.content.decode()).said


def test_no_page_says_in_english_what_it_could_say_in_hindi(trial: Trial) -> None:
    left: dict[str, str] = {}
    for route, eyes in pages():
        for who in eyes:
            hindi = said_on(trial, who, route, "hi")
            doubtful = {words for words in hindi if is_foreign(words)}
            if doubtful:
                known = said_on(trial, who, route, "en-in")
                left.update(dict.fromkeys(doubtful & known, route.name))
            if hindi:
                break
    assert not left, "\n".join(f"{place}: {words}" for words, place in sorted(left.items()))


@pytest.mark.parametrize("language", catalog.LANGUAGES)
def test_a_catalog_holds_every_text_of_the_bank_and_is_compiled(language: str) -> None:
    kept, found = catalog.kept(language), catalog.collected()
    assert sorted(_waiting(kept, found)) == []
    assert catalog.path_of(language, "mo").read_bytes() == catalog.compiled(kept)


def _waiting(kept: Catalog, found: Catalog) -> Iterator[str]:
    for message in found:
        translated = kept.get(message.id, context=message.context)
        if message.id and (translated is None or not catalog.is_translated(translated)):
            yield str(message.id)
