"""Whether each database is one that the bank's money may lie in."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.db import DatabaseError, connections

from bankproject.doctor.findings import Findings, danger, warning
from core.db import fitness
from core.db.addresses import places_of
from core.db.aliases import HEAD_OFFICE, REPLICA, find_all, primaries
from core.db.sql import queries
from core.plaintext import is_here

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "nodes.sql")
# A second is more than two machines with a time service are apart.
CLOCKS_APART: Final = timedelta(seconds=1)
CLOCKS_FAR_APART: Final = timedelta(seconds=10)
MONTHS_AHEAD: Final = 6
MOST_CONNECTIONS: Final = 0.9
OLD_TRANSACTIONS: Final = 1_000_000_000

NodeCheck = Callable[[str], Findings]


def nodes() -> Findings:
    """Look at every node, and at the replica."""
    find_all()
    replica = [REPLICA] if REPLICA in connections else []
    for alias in [*primaries(), *replica]:
        checks = _OF_ALL if alias == REPLICA else (*_OF_ALL, *_OF_PRIMARIES)
        try:
            for check in checks:
                yield from check(alias)
        except DatabaseError as error:
            say = danger if alias == HEAD_OFFICE else warning
            yield say(alias, f"does not answer: {' '.join(str(error).split())}")
        finally:
            connections[alias].close()


def rights(alias: str) -> Findings:
    """Tell of a role that could change money past the ledger, or lets others do so."""
    name, is_mighty = _row(alias, "role")
    if is_mighty:
        yield danger(alias, f"is reached as {name}, which has rights over the whole server")
    schemas = ["ledger", "public"] if alias == REPLICA else ["ledger"]
    for schema in schemas:
        tables = [row[0] for row in _rows(alias, "writable", {"schema": schema})]
        if tables:
            sentence = f"lets {name} change {schema}.{tables[0]} past the functions that guard it"
            yield danger(alias, sentence)
    may_connect, may_create = _row(alias, "everybody")
    if may_connect or may_create:
        yield warning(alias, "is open to all roles of its server; run deploy/postgres/database.sql")


def server(alias: str) -> Findings:
    """Tell of a server's settings that lose data, hide their loss, or let others listen."""
    major, whole_pages, checksums, is_encrypted, used, most, age = _row(alias, "server")
    if major < fitness.OLDEST_MAJOR:
        sentence = f"is on PostgreSQL {major}; {fitness.OLDEST_MAJOR} or newer is needed"
        yield danger(alias, sentence)
    if not whole_pages:
        yield danger(alias, "runs with full_page_writes off: a power cut may tear its pages")
    if not checksums:
        yield warning(alias, "has no data checksums: a bad disk is noticed late (pg_checksums)")
    if not is_encrypted and _is_elsewhere(alias):
        yield warning(alias, "is reached without TLS")
    if used > MOST_CONNECTIONS * most:
        yield warning(alias, f"has {used} of {most} connections in use")
    if age > OLD_TRANSACTIONS:
        sentence = f"has not been vacuumed for {age} transactions; it stops at 2,000,000,000"
        yield danger(alias, sentence)


def clock(alias: str) -> Findings:
    """Tell of a clock that goes wrong against this machine's."""
    before = datetime.now(UTC)
    (theirs,) = _row(alias, "time")
    after = datetime.now(UTC)
    yield from clocks(alias, theirs - (before + (after - before) / 2))


def clocks(alias: str, apart: timedelta) -> Findings:
    """Tell of two clocks that are so far apart."""
    if abs(apart) > CLOCKS_APART:
        say = danger if abs(apart) > CLOCKS_FAR_APART else warning
        sentence = f"has a clock {apart.total_seconds():+.1f} seconds from here; run a time service"
        yield say(alias, sentence)


def unfitness(alias: str) -> Findings:
    """Tell of a node that loses what it commits, or cannot write every name."""
    for refuse in (fitness.refuse_forgetful, fitness.refuse_other_encoding):
        try:
            refuse(alias)
        except fitness.UnfitNodeError as error:
            yield danger(alias, str(error))


def schema(alias: str) -> Findings:
    """Tell of a schema that is not the code's."""
    missing, unknown = fitness.pending_migrations(alias), fitness.unknown_migrations(alias)
    if missing:
        sentence = f"lacks {len(missing)} migrations, first {missing[0]}; run manage.py migrate"
        yield danger(alias, sentence)
    if unknown:
        yield warning(alias, f"is newer than this code, by {unknown[-1]} among others")


def partitions(alias: str) -> Findings:
    """Tell of a journal that has no room made for the months to come."""
    (months,) = _row(alias, "months_ahead")
    if months < MONTHS_AHEAD:
        say = danger if months <= 1 else warning
        sentence = f"has partitions for {months} months only; manage.py watch makes them"
        yield say(alias, sentence)
    (stray,) = _row(alias, "stray")
    if stray:
        sentence = f"has {stray} transfers in the journal's default partition (adopt_default_v1)"
        yield danger(alias, sentence)


_OF_ALL: Final[tuple[NodeCheck, ...]] = (server, rights, clock)
_OF_PRIMARIES: Final[tuple[NodeCheck, ...]] = (unfitness, schema, partitions)


def _is_elsewhere(alias: str) -> bool:
    return not all(is_here(host) for host, _port in places_of(connections[alias].settings_dict))


def _row(alias: str, query: str) -> Any:
    return _rows(alias, query, {})[0]


def _rows(alias: str, query: str, values: dict[str, Any]) -> list[Any]:
    with connections[alias].cursor() as cursor:
        cursor.execute(_QUERIES[query], values)
        return list(cursor.fetchall())
