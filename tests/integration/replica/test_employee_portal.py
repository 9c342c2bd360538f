"""Staff read the replica, as bank_readonly who can write nothing; or else the nodes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
import pytest
from django.db import connections
from django.test import Client

from accounts.models import Approval, LogIn, Role, User
from bankproject.runtime.postgres import BankUrls
from core import remembered
from core.clock import now
from core.db import reading
from notifications.mail import Mail, Words, queue_mail
from notifications.messages.models import Channel
from notifications.messages.queue import Outcome, claim_due, note_outcome
from portals.employee import noting
from portals.employee import operations as operation_pages
from tests.branches import DEL, MUM, Branches
from tests.factories import inr, order, person
from tests.integration.replica.bank import NODES, customer, on_replica
from tests.integration.replica.conftest import eventually
from tests.integration.replica.test_routing import beat
from transactions import operations
from transactions.branches.coordinator import transfer_across
from transactions.enquiries import transfers
from transactions.enquiries.transfers import TransferFilter, TransferState, transfers_found
from transactions.ledger.posting import Transfer

BEHIND: Final = "The copy for reading is behind"
# What else bank_app reads of people for the looks, the session, and whoever is logged in.
_KEPT_FROM_THE_APP: Final = (
    "accounts_account, accounts_branch, accounts_login, accounts_statuschange, "
    "accounts_credentialchange, accounts_approval, notifications_message, "
    "notifications_messageattempt"
)
_WRITABLE: Final = """
SELECT c.oid::regclass::text
FROM pg_class AS c INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname IN ('public', 'ledger') AND c.relkind IN ('r', 'p')
    AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
UNION ALL
SELECT p.oid::regprocedure::text
FROM pg_proc AS p INNER JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname IN ('public', 'ledger') AND p.prosecdef
    AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE')
"""


class Desk:
    """An employee with a browser, and a customer whose money went from Mumbai to Delhi."""

    def __init__(self) -> None:
        self.asha = person(full_name="Asha Rao", email="asha.rao@example.org")
        self.asha.refresh_from_db()
        self.mine = customer(MUM, user=self.asha.pk)
        self.other = customer(DEL, user=9)
        rent = Transfer(self.mine, self.other, inr(400), memo="rent March")
        asked = order(client=self.asha.pk)
        sent = transfer_across(rent, order=asked, source=MUM, destination=DEL)
        self.sent = sent.transfer_id
        LogIn.objects.create(person=self.asha, device="Firefox", result="succeeded")
        _send_in_vain(self.asha)
        chief = person(full_name="Anjali Bhatt", role=Role.ADMIN)
        payload = {"person": self.asha.pk, "role": "employee"}
        self.approval = Approval.objects.create(
            maker=chief, action="accounts.change_role", payload=payload, reason="hired"
        ).pk
        self.browser = Client()
        self.browser.force_login(person(full_name="Meera Joshi", role=Role.EMPLOYEE))

    def pages(self) -> dict[str, str]:
        """Return the portal's addresses, each with words that its page must have."""
        file = f"/staff/customers/{self.asha.number}/"
        return {
            "/staff/?q=rao": "Asha Rao",
            file: "Asha Rao",
            f"{file}accounts/": "₹96.00",
            f"{file}movements/": "rent March",
            f"{file}people/": "owner",
            f"{file}security/": "Firefox",
            f"{file}messages/": "nobody was there",
            f"{file}limits/": "hired",
            f"{file}timeline/": "Logged in",
            f"/staff/accounts/{self.mine}/": "₹96.00",
            f"/staff/accounts/{self.mine}/?at=2020-01-01T09:00": "₹0.00",
            "/staff/transfers/?state=settled": "rent March",
            f"/staff/transfers/{self.sent}/": "between branches, settled",
            "/staff/branches/": "Mumbai",
            "/staff/branches/MUM/": "₹4.00",
            "/staff/approvals/": "hired",
            f"/staff/approvals/{self.approval}/": "Anjali Bhatt",
            "/staff/operations/": "rent March",
        }

    def page(self, address: str) -> str:
        """Open a page."""
        answer = self.browser.get(address)
        assert answer.status_code == 200, address
        content: str = answer.content.decode()
        return content


def _send_in_vain(whom: User) -> None:
    """Write a mail to a person, and note an attempt that found nobody."""
    words = Words(subject="Nobody reads this here", text="nor this")
    queue_mail(Mail(to="a@b.c", kind="payee_added", words=words, person=whom.pk), now=now())
    failed = Outcome(at=now(), milliseconds=7, failure="unreachable", detail="at 192.0.2.7")
    for message in claim_due(Channel.EMAIL, limit=9, now=now()):
        note_outcome(message, failed)


@pytest.fixture
def desk(replicated: BankUrls) -> Desk:  # noqa: ARG001  # a replica to read from
    """Return an employee whose pages come from the replica, which has all there is."""
    desk = Desk()
    assert eventually(
        lambda: (
            len(on_replica("SELECT FROM ledger.journal WHERE kind = 'transfer'")) == 2
            and bool(on_replica("SELECT FROM ledger.arrival"))
            and bool(on_replica("SELECT FROM accounts_approval"))
            and bool(on_replica("SELECT FROM notifications_messageattempt"))
        )
    )
    assert eventually(lambda: reads_replica(desk))
    return desk


def reads_replica(desk: Desk) -> bool:
    beat()
    return "As of" in desk.page("/staff/transfers/")


@contextmanager
def kept_from_the_app(branches: Branches) -> Iterator[None]:
    """Let bank_app read no money, and little of people, on any node."""
    owners = [branches.of(node).owner for node in NODES]
    tables = "ALL TABLES IN SCHEMA ledger"
    _change(owners, f"REVOKE SELECT ON {tables} FROM bank_app")
    _change(owners[:1], f"REVOKE SELECT ON {_KEPT_FROM_THE_APP} FROM bank_app")
    yield
    _change(owners, f"GRANT SELECT ON {tables} TO bank_app")
    _change(owners[:1], f"GRANT SELECT ON {_KEPT_FROM_THE_APP} TO bank_app")


def _change(owners: list[str], statement: str) -> None:
    for url in owners:
        with psycopg.connect(url) as owner:
            owner.execute(statement)


def test_reads_the_replica_alone_as_one_who_cannot_write(desk: Desk, branches: Branches) -> None:
    with kept_from_the_app(branches):
        for address, words in desk.pages().items():
            beat_as_owner(branches)
            page = desk.page(address)
            assert words in page, address
            assert "As of" in page, address
            assert BEHIND not in page
        assert BEHIND not in desk.page("/staff/")
    assert on_replica("SELECT current_user") == [("bank_readonly",)]
    assert on_replica(_WRITABLE) == []
    with (
        pytest.raises(Exception, match="permission denied"),
        connections["replica"].cursor() as cursor,
    ):
        cursor.execute("UPDATE ledger.account SET balance = 0")


@pytest.mark.parametrize("file", ["operations", "transfers"])
def test_reads_the_replica_alone_while_a_file_is_sent(
    desk: Desk, branches: Branches, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    newest = customer(MUM, serial=2)
    arrived = "SELECT FROM ledger.journal WHERE credit = %s"
    assert eventually(lambda: bool(on_replica(arrived, newest)))
    # Only the newest row is looked up before the answer begins.
    pieces = ((operations, "_CHUNK"), (transfers, "_PIECE"))
    for module, size in (*pieces, (operation_pages, "_PIECE"), (noting, "_PIECE")):
        monkeypatch.setattr(module, size, 1)
    monkeypatch.setattr(remembered, "SECONDS", 0.0)
    beat()
    answer = desk.browser.get(f"/staff/{file}.csv")
    with kept_from_the_app(branches):
        _change([branches.head_office.owner], "REVOKE SELECT ON accounts_user FROM bank_app")
        sent = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert f"{desk.asha.number},Asha Rao" in sent


def beat_as_owner(branches: Branches) -> None:
    for node in NODES:
        with psycopg.connect(branches.of(node).owner) as owner:
            owner.execute("SELECT ledger.beat_v1(%s)", [node])


def test_reads_the_nodes_and_says_so_when_the_replica_is_behind(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = _without_freshness(desk)
    monkeypatch.setattr(reading, "MOST_LAG_SECONDS", -1.0)
    for address, words in desk.pages().items():
        page = desk.page(address)
        assert words in page, address
        assert BEHIND in page, address
    assert _without_freshness(desk) == copied


def _without_freshness(desk: Desk) -> list[str]:
    """Return what the list of all transfers tells, wherever it was read."""
    found = re.findall(r"<td.*?</td>", desk.page("/staff/transfers/"), re.DOTALL)
    assert len(found) >= 10
    return found


@pytest.mark.usefixtures("desk")
def test_has_a_transfer_between_nodes_once_with_its_state(
    monkeypatch: pytest.MonkeyPatch, desk: Desk
) -> None:
    def memos(**wanted: object) -> list[str]:
        asked = TransferFilter(kind="transfer", **wanted)  # type: ignore[arg-type]  # of the filter
        with reading.reading(may_use_replica=True, positions={}):
            page = transfers_found(asked, before=None, limit=9)
        return [one.memo for one in page.transfers]

    for lag in (reading.MOST_LAG_SECONDS, -1.0):
        monkeypatch.setattr(reading, "MOST_LAG_SECONDS", lag)
        beat()
        assert memos() == ["rent March"]
        assert memos(state=TransferState.SETTLED) == ["rent March"]
        assert memos(state=TransferState.SETTLING) == []
        assert memos(state=TransferState.WITHIN) == []
        assert memos(account=desk.other) == memos(account=desk.mine) == ["rent March"]
        assert memos(branch=202) == memos(branch=201) == ["rent March"]
        assert memos(branch=100) == []
