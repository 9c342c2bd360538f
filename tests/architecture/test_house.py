"""What import-linter cannot see: foreign keys by name, and files that write the ledger's tables."""

import re
from pathlib import Path
from typing import Final

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model

LAYERS: Final = (
    "bankproject",
    "portals",
    "loans",
    "transactions",
    "accounts",
    "notifications",
    "lb",
    "core",
)
PROJECT: Final = Path(settings.BASE_DIR)
WRITING: Final = re.compile(
    r"\b(insert\s+into|update|delete\s+from|truncate|alter\s+table)\s+(only\s+)?ledger\.",
    re.IGNORECASE,
)


def test_foreign_keys_point_down() -> None:
    for model in apps.get_models():
        home = model._meta.app_label
        if home not in LAYERS:
            continue
        for field in model._meta.get_fields():
            target = field.related_model
            # People are the one thing that every app may point to.
            if not field.concrete or target in {None, get_user_model()} or isinstance(target, str):
                continue
            label = target._meta.app_label
            if label in LAYERS and label != home:
                assert LAYERS.index(label) > LAYERS.index(home), f"{model.__name__}.{field.name}"


def test_only_the_ledgers_functions_write_its_tables() -> None:
    home = PROJECT / "transactions" / "ledger" / "sql"
    elsewhere = [
        path
        for app in LAYERS
        for path in (PROJECT / app).rglob("*")
        if path.suffix in {".py", ".sql"} and home not in path.parents
    ]
    assert elsewhere
    writers = {path.name for path in elsewhere if WRITING.search(path.read_text(encoding="utf-8"))}
    # The migration makes the currencies known; the replica is a copy, which its owner shapes and
    # empties: no money is there.
    assert writers == {"0001_ledger.py", "replica.sql", "replica_form.sql"}


def test_python_knows_the_codes_of_the_ledger() -> None:
    from transactions.ledger.codes import Code

    source = (PROJECT / "transactions/ledger/sql/codes.sql").read_text(encoding="utf-8")
    found = {int(number): name for number, name in re.findall(r"WHEN (\d+) THEN '(\w+)'", source)}
    assert found == {code.value: code.name.lower() for code in Code}
