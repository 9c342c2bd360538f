"""A bank of three nodes for a test: an empty head office, and the branches MUM and DEL."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import Branch
from bankproject.runtime.postgres import BankUrls
from core.db import aliases
from core.db.addresses import database_settings
from tests.servers import TestServer, worker_name
from transactions.branches import registry
from transactions.branches.models import Node

MUM: Final = "MUM"
DEL: Final = "DEL"
_MIGRATED: Final = "migrated_branch"
BRANCHES: Final = {MUM: (201, "Mumbai"), DEL: (202, "Delhi")}


@dataclass(frozen=True, kw_only=True)
class Branches:
    """The addresses of a bank's three databases."""

    head_office: BankUrls
    mumbai: BankUrls
    delhi: BankUrls

    def of(self, node: str) -> BankUrls:
        """Return the addresses of a node, by its alias."""
        return {registry.HEAD_OFFICE: self.head_office, MUM: self.mumbai, DEL: self.delhi}[node]


@pytest.fixture(scope="session")
def empty_branch(
    django_db_setup: None,  # noqa: ARG001  # one worker's migrations after the other
    django_db_blocker: DjangoDbBlocker,
    server: TestServer,
) -> str:
    """Return the name of a database that is migrated as a branch's: by the first worker."""
    name = f"branch_{worker_name()}"
    with server.making(_MIGRATED) as is_first:
        if is_first:
            urls = server.create_bank(name)
            aliases.add("NEW", database_settings(urls.app, name="NEW", allow_plaintext=False))
            with django_db_blocker.unblock():
                call_command("migrate", database="NEW", verbosity=0)
            aliases.remove("NEW")
            server.copy(name, _MIGRATED)
        else:
            server.copy(_MIGRATED, name)
    return name


@pytest.fixture
def branches(fresh_bank: BankUrls, empty_branch: str, server: TestServer) -> Iterator[Branches]:
    """Give the test a bank of three empty nodes of its own, which the registry knows."""
    with ExitStack() as stack:
        urls = {
            code: stack.enter_context(
                server.copied(empty_branch, f"{code.lower()}_of_{_name_of(fresh_bank)}")
            )
            for code in BRANCHES
        }
        registry.forget()
        stack.callback(registry.forget)
        for code, (number, name) in BRANCHES.items():
            join(code, number=number, name=name, urls=urls[code])
        registry.refresh()
        yield Branches(head_office=fresh_bank, mumbai=urls[MUM], delhi=urls[DEL])


def join(code: str, *, number: int, name: str, urls: BankUrls) -> None:
    """Make a migrated database the node of a branch, without looking at it."""
    with psycopg.connect(urls.owner) as node:
        node.execute("SELECT ledger.name_node_v1(%s, %s::smallint, %s)", [code, number, bank_id()])
    branch = Branch.objects.create(code=code, number=number, name=name)
    Node.objects.create(branch=branch, database_url=urls.app, joined_at=timezone.now())


def bank_id() -> UUID:
    """Return what tells this bank from others."""
    with connections[registry.HEAD_OFFICE].cursor() as cursor:
        cursor.execute("SELECT bank FROM ledger.this_node")
        (found,) = cursor.fetchone()
    return UUID(str(found))


def _name_of(urls: BankUrls) -> str:
    return urls.app.rpartition("/")[2]
