"""What the bank says, collected from its sources into ``locale/``: ``make messages`` runs this.

Babel does it rather than Django's commands, which want GNU gettext on the machine.
"""

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

PROJECT: Final = Path(__file__).resolve().parent.parent
LANGUAGES: Final = ("hi",)
APPS: Final = (
    "accounts",
    "bankproject",
    "core",
    "loans",
    "lb",
    "notifications",
    "portals",
    "transactions",
)

_KEYWORDS: Final = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "_lazy": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
}
_WIDTH: Final = 100


def collected() -> Catalog:
    """Return every text of the bank that can be translated, in English."""
    found = Catalog(project="Bankproject", charset="utf-8")
    for file, source in _sources():
        python = io.BytesIO(source.encode())
        for line, texts, _comments, context in extract("python", python, keywords=_KEYWORDS):
            flags = ["python-format"] if "%(" in str(texts) else []
            found.add(texts, locations=[(file, line)], flags=flags, context=context)
    for message in _also():
        if message.id and message.id not in found:
            found.add(message.id, flags=message.flags)
    return found


def kept(language: str) -> Catalog:
    """Return a language's translations as they stand in its file."""
    with path_of(language, "po").open("rb") as file:
        return read_po(file, locale=language)


def compiled(catalog: Catalog) -> bytes:
    """Return a catalog as programs read it."""
    written = io.BytesIO()
    write_mo(written, catalog)
    return written.getvalue()


def write(language: str) -> list[Any]:
    """Bring a language's files up to date, and return the texts that wait to be translated."""
    catalog = kept(language)
    catalog.update(collected(), no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    with path_of(language, "po").open("wb") as file:
        # Without line numbers: they change with every change of the sources.
        write_po(file, catalog, width=_WIDTH, sort_output=True, no_location=True)
    path_of(language, "mo").write_bytes(compiled(catalog))
    return [message.id for message in catalog if message.id and not is_translated(message)]


def is_translated(message: Any) -> bool:
    """Tell whether a text, in all its numbers, has a translation."""
    texts = message.string if isinstance(message.string, tuple) else (message.string,)
    return all(texts)


def _also() -> Catalog:
    """Return what stands in no source of ours as a text, and on pages all the same."""
    with (PROJECT / "locale" / "also.pot").open("rb") as file:
        return read_po(file)


def _sources() -> Iterator[tuple[str, str]]:
    """Yield each source's name and its text as Python that babel reads."""
    for app in APPS:
        for file in sorted((PROJECT / app).rglob("*.py")):
            yield str(file.relative_to(PROJECT)), file.read_text("utf-8")
    for file in sorted((PROJECT / "templates").rglob("*.*")):
        name = str(file.relative_to(PROJECT))
        # Indented as pages are, it would be no Python.
        source = templatize(file.read_text("utf-8"), origin=name)
        yield name, re.sub(r"^[ \t]+", "", source, flags=re.MULTILINE)


def path_of(language: str, suffix: str) -> Path:
    """Return where a language's translations are: ``po``, or ``mo``, compiled."""
    return PROJECT / "locale" / language / "LC_MESSAGES" / f"django.{suffix}"


def main() -> int:
    """Bring all languages up to date; 1 where texts wait to be translated."""
    waiting = [(language, text) for language in LANGUAGES for text in write(language)]
    for language, text in waiting:
        sys.stdout.write(f"{language}: {text!r}\n")
    return 1 if waiting else 0


if __name__ == "__main__":
    sys.exit(main())
