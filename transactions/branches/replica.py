"""The replica: one read-only database that copies every node, by logical replication.

Each node publishes its ledger, the head office its people too; the replica has a subscription for
each node. All of it is done again with every migration and every start, and repeating it is
harmless. Needs the owner's address and that of ``bank_replica`` (``REPLICATION_DATABASE_URL``),
whose user and password hold on every node.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import psycopg
import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql
from psycopg.conninfo import make_conninfo

from core.db.aliases import HEAD_OFFICE, REPLICA, primaries
from core.db.owner import as_owner
from core.db.sql import queries

# Readers notice within a tenth of it that a copy is no longer whole, and their pages take less.
GRACE_SECONDS: Final = 2.0
# A new slot waits for the transactions of its node that are under way.
SLOT_SECONDS: Final = 30
# From this version on a slot lives on at the standby that takes over, if both ends know of it.
SLOTS_LIVE_ON_SINCE: Final = 170_000

_SQL: Final = Path(__file__).parent / "sql"
_FORM: Final = _SQL / "replica_form.sql"
_PUBLICATIONS: Final = queries(_SQL / "publications.sql")
_QUERIES: Final = queries(_SQL / "replica.sql")

_log = structlog.get_logger(__name__)


class CannotSubscribe(Exception):
    """The replica cannot be made a subscriber of a node, for a reason in one line."""


SILENCE: Final = (CannotSubscribe, DatabaseError, psycopg.Error)


def is_configured() -> bool:
    """Tell whether this process knows a replica."""
    return REPLICA in connections


def set_up() -> None:
    """Give the replica its form and subscribe it to every node; each node publishes first.

    A node that does not answer is left out, and logged. Opens no transaction.

    Raises:
        CannotSubscribe: the replica itself cannot be reached, or its addresses are not set.
    """
    try:
        take_form()
    except DatabaseError as error:
        message = f"the replica does not answer: {_line(error)}"
        raise CannotSubscribe(message) from error
    for alias in primaries():
        try:
            publish(alias)
            subscribe(alias)
        except (DatabaseError, CannotSubscribe) as error:
            _complain(alias, error)


def on_migrated(*, using: str, **_others: Any) -> None:
    """Bring publications and copies up to a schema that was just migrated, as its owner."""
    with connections[using].cursor() as cursor:
        cursor.execute(_QUERIES["is_ready_to_copy"])
        if not cursor.fetchone()[0]:
            # Migrated half the way, on purpose; or a server without the role.
            return
    if using == REPLICA:
        take_form()
        return
    publish(using)
    if is_configured() and settings.REPLICATION_DATABASE:
        try:
            subscribe(using)
        except CannotSubscribe as error:
            _complain(using, error)


def take_form() -> None:
    """Make the migrated database ``replica`` one that can hold all nodes.

    Raises:
        CannotSubscribe: it is a node's own ledger, which would lose what guards it.
    """
    with _owner_cursor(REPLICA) as cursor:
        cursor.execute(_QUERIES["named_node"])
        named = cursor.fetchone()
        if named is not None:
            message = f"the replica's address is that of a node, {named[0]}: it was left as it is"
            raise CannotSubscribe(message)
        cursor.execute(_FORM.read_text(encoding="utf-8"))


def publish(alias: str) -> None:
    """Let a node publish what is copied of it."""
    with _owner_cursor(alias) as cursor:
        for publication in _publications_of(alias):
            cursor.execute(_PUBLICATIONS[publication])


def subscribe(alias: str) -> None:
    """Subscribe the replica to a node, or bring its subscription up to date.

    Raises:
        CannotSubscribe: the node does not answer, or ``bank_replica`` may not copy from it.
    """
    with _subscriber_cursor() as cursor:
        if _is_subscribed(cursor, alias):
            _renew(cursor, alias)
        else:
            _forget(cursor, alias)
            _begin(cursor, alias)


def resync(alias: str) -> None:
    """Forget the copy of a node and take it anew, while the bank runs.

    Readers do without the replica until the copy is whole again.

    Raises:
        CannotSubscribe: the node or the replica does not answer.
    """
    with _subscriber_cursor() as cursor:
        if _is_subscribed(cursor, alias):
            _end(cursor, alias)
        _forget(cursor, alias)
        _begin(cursor, alias)


def wait_until_whole(*, seconds: float) -> bool:
    """Wait until every node's copy is whole; tell whether it is by then."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with _owner_cursor(REPLICA) as cursor:
            cursor.execute(_QUERIES["whole"])
            if set(primaries()) <= {node for (node,) in cursor.fetchall()}:
                return True
        time.sleep(0.2)
    return False


def _is_subscribed(cursor: CursorWrapper, alias: str) -> bool:
    cursor.execute(_QUERIES["is_subscribed"], [_name(alias)])
    return bool(cursor.fetchone()[0])


def _renew(cursor: CursorWrapper, alias: str) -> None:
    """Tell a subscription the node's address of today, and the tables."""
    name = sql.Identifier(_name(alias))
    address = sql.Literal(_publisher(alias))
    # A check of the address, too: one that fails would be noticed by the worker only.
    with psycopg.connect(_publisher(alias), autocommit=True) as node:
        cursor.execute(sql.SQL("ALTER SUBSCRIPTION {} CONNECTION {}").format(name, address))
        _let_slot_live_on(cursor, node, alias)
    cursor.execute(sql.SQL("ALTER SUBSCRIPTION {} REFRESH PUBLICATION").format(name))
    cursor.execute(sql.SQL("ALTER SUBSCRIPTION {} ENABLE").format(name))


def _begin(cursor: CursorWrapper, alias: str) -> None:
    """Make slot and subscription; the copying goes on by itself.

    The slot comes first and by its own connection, since a subscriber on the node's own server
    would wait for itself.
    """
    slot = _slot(cursor, alias)
    with psycopg.connect(_publisher(alias), autocommit=True) as node:
        node.execute(_QUERIES["drop_slot"], [slot])
        # It waits for others by their locks, and as long as a statement may.
        node.execute("SET lock_timeout = 0")
        node.execute(sql.SQL("SET statement_timeout = {}").format(SLOT_SECONDS * 1000))
        lives_on = _slots_live_on(node)
        node.execute(_QUERIES["make_lasting_slot" if lives_on else "make_slot"], [slot])
    cursor.execute(
        sql.SQL(
            "CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION {} "
            "WITH (create_slot = false, slot_name = {}, streaming = off{})"
        ).format(
            sql.Identifier(_name(alias)),
            sql.Literal(_publisher(alias)),
            sql.SQL(", ").join(sql.Identifier(f"bank_{name}") for name in _publications_of(alias)),
            sql.Literal(slot),
            # Named only where it is known, on both ends.
            sql.SQL(", failover = true" if lives_on else ""),
        )
    )


def _slots_live_on(node: psycopg.Connection) -> bool:
    """Tell whether a node's slot for this replica can live on at the node's standby."""
    replica: psycopg.Connection = connections[REPLICA].connection
    return min(node.info.server_version, replica.info.server_version) >= SLOTS_LIVE_ON_SINCE


def _let_slot_live_on(cursor: CursorWrapper, node: psycopg.Connection, alias: str) -> None:
    """Let a slot of before live on at the node's standby, where it can; copying pauses for that."""
    if not _slots_live_on(node):
        return
    cursor.execute(_QUERIES["lives_on"], [_name(alias)])
    lives_on, slot = cursor.fetchone()
    if lives_on:
        return
    name = sql.Identifier(_name(alias))
    cursor.execute(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(name))
    deadline = time.monotonic() + SLOT_SECONDS
    while node.execute(_QUERIES["is_in_use"], [slot]).fetchone() and time.monotonic() < deadline:
        time.sleep(0.05)
    cursor.execute(sql.SQL("ALTER SUBSCRIPTION {} SET (failover = true)").format(name))
    cursor.execute(sql.SQL("ALTER SUBSCRIPTION {} ENABLE").format(name))


def _end(cursor: CursorWrapper, alias: str) -> None:
    """Disable a subscription, let readers notice, and drop it, and its slot if the node answers."""
    name = sql.Identifier(_name(alias))
    cursor.execute(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(name))
    time.sleep(GRACE_SECONDS)
    try:
        cursor.execute(sql.SQL("DROP SUBSCRIPTION {}").format(name))
    except DatabaseError as error:
        _log.warning("replica_slot_not_dropped", node=alias, error=_line(error))
        cursor.execute(sql.SQL("ALTER SUBSCRIPTION {} SET (slot_name = NONE)").format(name))
        cursor.execute(sql.SQL("DROP SUBSCRIPTION {}").format(name))


def _forget(cursor: CursorWrapper, alias: str) -> None:
    """Delete what came from a node, in one transaction of its own."""
    with transaction.atomic(using=REPLICA):
        cursor.execute(_QUERIES["forget_ledger"], {"node": alias})
        if alias == HEAD_OFFICE:
            cursor.execute(_QUERIES["forget_people"])


def _publications_of(alias: str) -> list[str]:
    return ["ledger", "people"] if alias == HEAD_OFFICE else ["ledger"]


def _name(alias: str) -> str:
    """Return the name of a node's subscription; the views of the replica know it."""
    return f"bank_{alias}"


def _slot(cursor: CursorWrapper, alias: str) -> str:
    """Return the name of a node's slot: of this replica alone, since servers share slots' names."""
    cursor.execute(_QUERIES["identity"])
    replica = sha256(repr(cursor.fetchone()).encode()).hexdigest()[:8]
    return f"bank_{alias.lower()}_{replica}"


def _publisher(alias: str) -> str:
    """Return the address of a node as the replica's server uses it."""
    if settings.REPLICATION_DATABASE is None:
        message = "REPLICATION_DATABASE_URL is not set; the replica copies as bank_replica"
        raise ImproperlyConfigured(message)
    node = connections[alias].settings_dict
    parts = {
        **{name: value for name, value in node["OPTIONS"].items() if isinstance(value, str)},
        "host": node["HOST"],
        "port": node["PORT"],
        "dbname": node["NAME"],
        "user": settings.REPLICATION_DATABASE["USER"],
        "password": settings.REPLICATION_DATABASE["PASSWORD"],
    }
    return make_conninfo("", **{name: value for name, value in parts.items() if value})


@contextmanager
def _owner_cursor(alias: str) -> Iterator[CursorWrapper]:
    with as_owner(alias), connections[alias].cursor() as cursor:
        yield cursor


@contextmanager
def _subscriber_cursor() -> Iterator[CursorWrapper]:
    """Yield the replica's owner's cursor, for statements that hold a password.

    Raises:
        CannotSubscribe: one fails.
    """
    try:
        with _owner_cursor(REPLICA) as cursor:
            # A server logs what fails with the statement's whole text.
            cursor.execute("SET log_min_error_statement = panic")
            yield cursor
    except (DatabaseError, psycopg.Error) as error:
        raise CannotSubscribe(_line(error)) from error


def _complain(alias: str, error: Exception) -> None:
    _log.error("replica_not_subscribed", node=alias, error=_line(error))


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
