"""How a database becomes the node of a branch, while the bank runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, connections, transaction

from accounts.models import Branch
from core.db import aliases
from core.db.addresses import database_settings
from core.db.aliases import HEAD_OFFICE, REPLICA
from core.db.fitness import (
    UnfitNodeError,
    refuse_forgetful,
    refuse_other_encoding,
    refuse_outdated_server,
    setting,
    unknown_migrations,
)
from core.db.owner import as_owner
from core.errors import DomainError
from transactions.branches import registry
from transactions.branches.belonging import QUERIES, Belonging, belonging_of, describe
from transactions.branches.models import Node

FIRST_NUMBER: Final = 201
LAST_NUMBER: Final = 999
LONGEST_NAME: Final = 80


class CannotJoin(DomainError):
    """A database cannot become the node of a branch. Nothing was registered."""

    code = "cannot_join"


def join_branch(*, code: str, name: str, url: str, number: int | None, now: datetime) -> Branch:
    """Make the database at ``url`` the node of the branch ``code``: migrate, name, register it.

    Safe to break off and to repeat. Without a ``number`` the branch gets the next one. No
    transaction may be open; one branch joins at a time.

    Raises:
        CannotJoin: with the reason; what the bank has is as it was.
        ImproperlyConfigured: the address is not understood, or not allowed.
    """
    _refuse_bad_names(code, name)
    database = database_settings(
        url, name=f"the address of {code}", allow_plaintext=settings.ALLOW_PLAINTEXT
    )
    with _one_at_a_time(), _alias(code, database):
        _refuse_registered(code, url)
        try:
            joined = _prepare(code, number)
        except (UnfitNodeError, DatabaseError) as error:
            raise CannotJoin(" ".join(str(error).split())) from error
        branch = _register(joined, name=name, url=url, now=now)
    registry.refresh()
    return branch


def _refuse_bad_names(code: str, name: str) -> None:
    try:
        aliases.refuse_bad_code(code)
    except ValueError as error:
        raise CannotJoin(str(error)) from None
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        message = f"a branch's name has 1 to {LONGEST_NAME} printable characters"
        raise CannotJoin(message)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let one branch join at a time; the lock goes with the connection, however this ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(7103, 4)")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(7103, 4)")


@contextmanager
def _alias(code: str, database: dict[str, Any]) -> Iterator[None]:
    """Know the database under its code, unless it turns out that it does not join."""
    if code in connections.settings:
        yield
        return
    aliases.add(code, database)
    try:
        yield
    except BaseException:
        aliases.remove(code)
        raise


def _refuse_registered(code: str, url: str) -> None:
    node = Node.objects.filter(branch__code=code).first()
    if node is not None and node.database_url != url:
        message = f"branch {code} has a node already, at another address"
        raise CannotJoin(message)


def _prepare(code: str, number: int | None) -> Belonging:
    """Bring the database to today's schema and let it know its name."""
    here = belonging_of(HEAD_OFFICE)
    if here is None:
        message = "the head office does not know its own name; run manage.py migrate"
        raise CannotJoin(message)
    # With its first branch the head office, too, must be able to prepare.
    refuse_forgetful(HEAD_OFFICE)
    connections[code].ensure_connection()
    with as_owner(code):
        _refuse_unfit_server(code)
        found = _refuse_used(code, here)
    if found is None:
        _refuse_instead_of_another(code)
    joined = Belonging(code=code, number=_number_for(code, number, found), bank=here.bank)
    call_command("migrate", database=code, verbosity=0, interactive=False)
    with as_owner(code), connections[code].cursor() as cursor:
        cursor.execute(QUERIES["name_node"], asdict(joined))
    return joined


def _refuse_unfit_server(code: str) -> None:
    refuse_outdated_server(code)
    refuse_other_encoding(code)
    refuse_forgetful(code)
    if REPLICA in connections.settings and setting(code, "wal_level") != "logical":
        message = f"database {code!r} runs without wal_level = logical: no replica could copy it"
        raise CannotJoin(message)


def _refuse_used(code: str, here: Belonging) -> Belonging | None:
    """Refuse a database that is somebody else's; return which node it is, if it was named."""
    with connections[code].cursor() as cursor:
        cursor.execute(QUERIES["contents"])
        is_named, has_ledger, has_people, has_tables = cursor.fetchone()
        found = belonging_of(code) if is_named else None
        if found is not None and (found.code, found.bank) != (code, here.bank):
            message = f"the database is {describe(found, here)}"
            raise CannotJoin(message)
        if has_people or (has_tables and not has_ledger):
            message = "the database has tables that are not a branch's; give an empty one"
            raise CannotJoin(message)
        if has_ledger and found is None:
            cursor.execute(QUERIES["has_accounts"])
            if cursor.fetchone()[0]:
                message = "the database has a ledger with accounts that is not this branch's"
                raise CannotJoin(message)
    newer = unknown_migrations(code)
    if newer:
        message = f"the database is newer than the code ({newer[0]}); bring the code up to date"
        raise CannotJoin(message)
    return found


def _refuse_instead_of_another(code: str) -> None:
    """Refuse an empty database for a branch that has its ledger elsewhere.

    A node is registered after it was named: what is registered and has no name is another one.
    """
    if Node.objects.filter(branch__code=code).exists():
        message = (
            f"branch {code} has a ledger already, and this database is not it:"
            " start it from its own data, or restore them"
        )
        raise CannotJoin(message)


def _number_for(code: str, wanted: int | None, found: Belonging | None) -> int:
    """Return the branch's number: what it has, what is wanted, or the next free one."""
    branches = {branch.code: branch.number for branch in Branch.objects.all()}
    known = branches.pop(code, None) or (found.number if found else None)
    taken = set(branches.values())
    number = known or wanted or _next_free(taken)
    if wanted not in (None, number):
        message = f"branch {code} has the number {number}"
        raise CannotJoin(message)
    if number not in range(100, LAST_NUMBER + 1):
        message = f"a branch's number is one of 100 to {LAST_NUMBER}"
        raise CannotJoin(message)
    if number in taken:
        message = f"another branch has the number {number}"
        raise CannotJoin(message)
    if found is None:
        _refuse_accounts_at_head_office(code, number)
    return number


def _next_free(taken: set[int]) -> int:
    free = (number for number in range(FIRST_NUMBER, LAST_NUMBER + 1) if number not in taken)
    number = next(free, None)
    if number is None:
        message = "all branch numbers are taken"
        raise CannotJoin(message)
    return number


def _refuse_accounts_at_head_office(code: str, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["has_accounts_of"], {"number": number})
        (has_accounts,) = cursor.fetchone()
    if has_accounts:
        message = f"branch {code} ({number}) has accounts at the head office: they would be lost"
        raise CannotJoin(message)


def _register(joined: Belonging, *, name: str, url: str, now: datetime) -> Branch:
    with transaction.atomic():
        branch, _new = Branch.objects.get_or_create(
            code=joined.code, defaults={"number": joined.number, "name": name}
        )
        Node.objects.get_or_create(branch=branch, defaults={"database_url": url, "joined_at": now})
    return branch
