"""What files of statements cost: their time for 10,000 entries, and their memory for many more.

Called by `make bench NAME=reports`. The bank is that of the portal's benchmark, with an account of
100,000 entries; each file is made in a process of its own, as this module run as a program. Its
memory is the most that the process ever held.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Final

FORMATS: Final = {"csv": "csv", "ofx": "ofx", "camt053": "xml", "mt940": "sta", "pdf": "pdf"}
BOUNDS: Final = {
    "statement_10000_csv_s": 1,
    "statement_10000_ofx_s": 1,
    "statement_10000_camt053_s": 1,
    "statement_10000_mt940_s": 1,
    "statement_10000_pdf_s": 5,
    "statement_memory_growth_mb": 50,
}
_FEW: Final = 1_000
_ENTRIES: Final = 10_000
_MANY: Final = 100_000


def statement_figures(environment: Mapping[str, str]) -> dict[str, float]:
    """Let 100,000 entries happen in an empty bank, and return what files of them cost.

    ``environment`` is a bank's, as `tests.proofs._bank` gives it.
    """
    opened = subprocess.run(
        [sys.executable, "-m", "benchmarks._portal_bank"],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
    )
    number = str(json.loads(opened.stdout.splitlines()[-1])["number"])
    figures = {}
    for name, form in FORMATS.items():
        seconds, _megabytes = _measure(environment, number, form, _ENTRIES)
        figures[f"statement_10000_{name}_s"] = round(seconds, 2)
    streamed = [form for form in FORMATS.values() if form != "pdf"]
    few, many = (
        max(_measure(environment, number, form, entries)[1] for form in streamed)
        for entries in (_FEW, _MANY)
    )
    return {
        **figures,
        "statement_memory_1000_mb": round(few),
        "statement_memory_100000_mb": round(many),
        "statement_memory_growth_mb": round(many - few),
    }


def _measure(
    environment: Mapping[str, str], number: str, form: str, entries: int
) -> tuple[float, float]:
    """Return the seconds that a file took, and the most memory of its process."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks._statement_files", number, form, str(entries)],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
    )
    seconds, megabytes = json.loads(done.stdout.splitlines()[-1])
    return float(seconds), float(megabytes)


def main() -> None:
    """Make one file twice, the first time to warm up, and print what the second one cost."""
    import django

    django.setup()
    number, form, entries = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    since = _since(number, entries)
    _make(number, form, since)
    begun = time.perf_counter()
    _make(number, form, since)
    seconds = time.perf_counter() - begun
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([seconds, kilobytes / 1024]))


def _since(number: int, entries: int) -> str:
    """Return the id before the newest entries of an account."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM ledger.journal WHERE %s IN (debit, credit) ORDER BY id DESC"
            " OFFSET %s LIMIT 1",
            [number, entries - 1],
        )
        (first,) = cursor.fetchone()
    return str(first)


def _make(number: int, form: str, since: str) -> None:
    from uuid import UUID

    from accounts.models import Holding
    from core.clock import now
    from transactions.ledger.reads import EntryFilter
    from transactions.selectors import recorded_at
    from transactions.statements.files import statement_file

    owner = Holding.objects.select_related("user").get(account_id=number).user
    file = statement_file(
        owner.pk,
        owner=owner.full_name,
        number=number,
        wanted=lambda _currency: EntryFilter(since=recorded_at(UUID(since))),
        form=form,
        now=now(),
    )
    for _piece in file.pieces:
        pass


if __name__ == "__main__":
    main()
