"""Head office and branches agree about customers' accounts."""

import time
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError

from accounts.models import Account, AccountStatus, Branch, Holding, Product, User
from core.clock import now
from tests.branches import DEL, MUM, Branches
from tests.factories import person
from transactions.branches import agreement
from transactions.branches.agreement import check_copies, copy_account, copy_changes
from transactions.branches.directory import connect
from transactions.branches.registry import HEAD_OFFICE, node_of
from transactions.governing import (
    AccountRequest,
    change_holder,
    change_status,
    open_customer_account,
)
from transactions.ledger.accounts import Opening, Purpose, Status, open_account, set_status
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import BANK_CLIENT
from transactions.ledger.reads import balances, rights_on

pytestmark = pytest.mark.usefixtures("branches")


@pytest.fixture
def asha(branches: Branches) -> User:  # noqa: ARG001  # the bank must be there
    """Return a customer."""
    return person()


@pytest.fixture
def without_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the comparison wait for nobody."""
    monkeypatch.setattr(agreement, "_PATIENCE_SECONDS", 0.0)


def request_of(owner: User, *, code: str = MUM, **changed: Any) -> AccountRequest:
    """Return a request to open a current account."""
    return AccountRequest(
        owner=owner,
        branch=Branch.objects.get(code=code),
        **{
            "product": Product.CURRENT,
            "currency": "INR",
            "client": BANK_CLIENT,
            "key": str(uuid4()),
            **changed,
        },
    )


def opened(owner: User, **changed: Any) -> Account:
    """Open an account."""
    return open_customer_account(request_of(owner, **changed), now=now())


def copied_holders(number: int) -> dict[int, str]:
    """Return who holds an account by the head office's copy."""
    held = Holding.objects.filter(account=number).values_list("user", "rights")
    return dict(held)


def copy_all() -> None:
    """Copy what has changed at Mumbai until now.

    A transaction of any test on the same server holds back what came after it.
    """
    with connect(MUM) as node:
        ((now_at,),) = node.execute("SELECT pg_current_xact_id()::text::bigint").fetchall()
        passed = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint > %s"
        while not node.execute(passed, [now_at]).fetchall()[0][0]:
            time.sleep(0.02)
    copy_changes(node=MUM)


def freeze(number: int, *, key: str | None = None) -> None:
    """Freeze an account."""
    change_status(
        number,
        status=Status.FROZEN,
        client=BANK_CLIENT,
        key=key or str(uuid4()),
        reason="asked",
    )


class TestOpening:
    """An account that is opened at a branch."""

    def test_is_on_its_branch_and_known_to_the_head_office(self, asha: User) -> None:
        account = opened(asha, name="Rent", external_reference="ours:1")
        assert node_of(account.number) == MUM
        [balance] = balances([account.number], using=MUM)
        assert (balance.currency, balance.status, balance.balance) == ("INR", "open", 0)
        assert rights_on(account.number, user=asha.pk, using=MUM) == "owner"
        assert (account.status, account.name, account.branch.code) == ("open", "Rent", MUM)
        assert copied_holders(account.number) == {asha.pk: "owner"}
        assert check_copies() == []

    def test_is_opened_once_for_each_key(self, asha: User) -> None:
        key = str(uuid4())
        first, second = opened(asha, key=key), opened(asha, key=key)
        assert first == second
        assert Account.objects.count() == 1

    def test_a_key_is_not_used_for_another_account(self, asha: User) -> None:
        key = str(uuid4())
        opened(asha, key=key)
        with pytest.raises(Refused) as refused:
            opened(asha, key=key, product=Product.SAVINGS)
        assert refused.value.reason is Code.KEY_REUSED
        assert Account.objects.count() == 1

    @pytest.mark.usefixtures("without_patience")
    def test_is_repaired_when_the_process_died_before_the_head_office_knew(
        self, asha: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = str(uuid4())
        with monkeypatch.context() as dying:
            dying.setattr("transactions.governing.copy_account", _die)
            with pytest.raises(KeyboardInterrupt):
                opened(asha, key=key, external_reference="ours:1")
        assert not Account.objects.exists()
        [finding] = check_copies()
        assert finding.detail == "the head office does not know the account"
        copy_all()
        account = Account.objects.get()
        assert finding.account == account.number
        assert (account.product, account.external_reference) == ("current", "ours:1")
        assert copied_holders(account.number) == {asha.pk: "owner"}
        assert check_copies() == []
        assert opened(asha, key=key, external_reference="ours:1") == account


class TestAChange:
    """Freezing, closing, and changing holders."""

    def test_is_on_the_branch_and_copied(self, asha: User) -> None:
        number = opened(asha).number
        freeze(number)
        [balance] = balances([number], using=MUM)
        assert balance.status == "frozen"
        assert Account.objects.get(pk=number).status == AccountStatus.FROZEN
        friend = person()
        change_holder(number, user=friend.pk, rights="authorised", client=0, key="1")
        assert copied_holders(number) == {asha.pk: "owner", friend.pk: "authorised"}
        change_holder(number, user=friend.pk, rights="owner", client=0, key="2")
        change_holder(number, user=asha.pk, rights=None, client=0, key="3")
        assert copied_holders(number) == {friend.pk: "owner"}
        change_status(number, status=Status.CLOSED, client=0, key="4", reason="asked")
        assert Account.objects.get(pk=number).status == AccountStatus.CLOSED
        assert check_copies() == []

    def test_is_made_once_for_each_key(self, asha: User) -> None:
        number = opened(asha).number
        freeze(number, key="freeze")
        change_status(number, status=Status.OPEN, client=0, key="open", reason="asked")
        freeze(number, key="freeze")
        assert balances([number], using=MUM)[0].status == "open"
        with pytest.raises(Refused) as refused:
            change_status(number, status=Status.CLOSED, client=0, key="freeze", reason="asked")
        assert refused.value.reason is Code.KEY_REUSED

    def test_that_is_refused_leaves_both_sides_as_they_are(self, asha: User) -> None:
        number = opened(asha).number
        change_status(number, status=Status.CLOSED, client=0, key="close", reason="asked")
        with pytest.raises(Refused):
            freeze(number)
        with pytest.raises(Refused):
            change_holder(number, user=asha.pk, rights=None, client=0, key="take")
        with pytest.raises(Refused):
            freeze(999_999_999_999)
        assert check_copies() == []

    @pytest.mark.usefixtures("without_patience")
    def test_is_made_while_the_head_office_is_down_and_copied_later(
        self, asha: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        number = opened(asha).number
        with monkeypatch.context() as down:
            down.setattr("transactions.governing.copy_account", _silent)
            freeze(number)
        assert balances([number], using=MUM)[0].status == "frozen"
        [finding] = check_copies()
        assert finding.account == number
        assert finding.detail == (
            f"its node says frozen, held by user {asha.pk} owner, "
            f"the head office open, held by user {asha.pk} owner"
        )
        copy_all()
        assert Account.objects.get(pk=number).status == AccountStatus.FROZEN
        assert check_copies() == []


class TestTheRepair:
    """What `manage.py watch` copies."""

    def test_does_not_pass_a_change_that_commits_late(self, asha: User) -> None:
        early, late = opened(asha).number, opened(asha).number
        copy_all()
        with connect(MUM) as session:
            session.execute("BEGIN")
            session.execute("SELECT ledger.set_status_v2(0, 'a', %s, 'frozen', '')", [late])
            set_status(early, status=Status.FROZEN, client=0, reason="asked", using=MUM)
            copy_changes(node=MUM)
            session.execute("COMMIT")
        copy_all()
        statuses = set(Account.objects.values_list("status", flat=True))
        assert statuses == {AccountStatus.FROZEN}

    def test_copies_nothing_twice(self, asha: User, monkeypatch: pytest.MonkeyPatch) -> None:
        number = opened(asha).number
        copy_all()
        looked_at: list[int] = []
        monkeypatch.setattr(agreement, "copy_account", looked_at.append)
        copy_all()
        assert looked_at == []
        set_status(number, status=Status.FROZEN, client=0, reason="asked", using=MUM)
        copy_all()
        assert looked_at == [number]

    def test_keeps_what_it_could_not_copy_for_the_next_time(
        self, asha: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        number = opened(asha).number
        set_status(number, status=Status.FROZEN, client=0, reason="asked", using=MUM)
        with monkeypatch.context() as down:
            down.setattr(agreement, "copy_account", _silent)
            with pytest.raises(OperationalError):
                copy_all()
        copy_all()
        assert Account.objects.get(pk=number).status == AccountStatus.FROZEN

    def test_leaves_accounts_alone_that_no_customer_was_given(self, branches: Branches) -> None:  # noqa: ARG002  # as above
        number = 201_000_000_016
        open_account(
            Opening(number=number, currency="INR", purpose=Purpose.CUSTOMER), client=0, using=MUM
        )
        copy_all()
        assert not Account.objects.exists()
        assert check_copies() == []


class TestTheComparison:
    """What `manage.py check_books` says of copies."""

    @pytest.mark.usefixtures("without_patience")
    def test_names_an_account_that_its_branch_does_not_know(self, asha: User) -> None:
        known = opened(asha, code=DEL)
        Account.objects.create(
            number=201_000_000_016,
            branch=Branch.objects.get(code=MUM),
            product=Product.CURRENT,
            currency="INR",
            opened_at=now(),
        )
        [finding] = check_copies()
        assert finding.account == 201_000_000_016
        assert finding.detail == "its node MUM does not know the account"
        assert known.number != finding.account

    @pytest.mark.usefixtures("without_patience")
    def test_names_an_account_whose_holders_differ(self, asha: User) -> None:
        number = opened(asha).number
        Holding.objects.all().delete()
        [finding] = check_copies()
        assert finding.account == number
        assert "the head office open, held by nobody" in finding.detail
        copy_account(number)
        assert check_copies() == []

    def test_covers_a_bank_of_one_node(self, asha: User) -> None:
        Branch.objects.create(code="HO", number=100, name="Head office")
        number = opened(asha, code="HO").number
        assert node_of(number) == HEAD_OFFICE
        freeze(number)
        assert check_copies() == []


def _die(_number: int) -> None:
    raise KeyboardInterrupt


def _silent(_number: int) -> None:
    message = "the head office is down"
    raise OperationalError(message)
