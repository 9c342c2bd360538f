"""What admins do about accounts: at once, or once somebody else approves."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from accounts.approvals import OwnRequest, approve, carry_out_left_over
from accounts.callers import Caller
from accounts.models import Account, Approval, ApprovalState, Holding, Role, User
from core.api.step_up import StepUp
from core.clock import now
from core.errors import DomainError
from core.text import InvalidText
from tests.expectations import refusing
from tests.factories import checker, customer_account, instant, person
from tests.integration.people.conftest import entries_of
from transactions import account_desk
from transactions.account_desk import (
    HeldRights,
    NotACustomer,
    ask_overdraft,
    ask_status,
    change_account_limits,
    change_rights,
    close_account,
)
from transactions.branches.outcomes import BranchDown, OutcomeUnknown
from transactions.ledger.accounts import Limit, Limits, Status, limits_of
from transactions.ledger.codes import Code, Refused
from transactions.limits.changing import LimitsRequest, change_own_limits
from transactions.limits.models import LimitRaise

pytestmark = pytest.mark.django_db

NOW = instant()


@pytest.fixture
def anjali() -> Caller:
    """Give an admin."""
    return caller(person(full_name="Anjali Bhatt", role=Role.ADMIN, is_staff=True))


@pytest.fixture
def vivek() -> int:
    """Return the id of another admin."""
    return checker(full_name="Vivek Menon").pk


@pytest.fixture
def asha() -> User:
    """Give a customer."""
    return person()


@pytest.fixture
def number(asha: User) -> int:
    """Return the customer's account, with ₹1."""
    return customer_account(asha, balance=100)


def caller(admin: User) -> Caller:
    """Return an admin as services know them."""
    return Caller(pk=admin.pk, role="admin", scopes=None, via="session", credential="test")


def status_of(number: int) -> str:
    """Return the status of an account."""
    return Account.objects.get(pk=number).status


def limits(number: int) -> Limits:
    """Return the limits of an account."""
    found = limits_of(number, day=NOW.date())
    assert found is not None
    return found


def approved_and_left_over(asked: Approval | None, by: int) -> Approval:
    """Let a request be approved by somebody who died before it was carried out."""
    assert asked is not None
    long_ago = Now() - timedelta(minutes=1)
    Approval.objects.filter(pk=asked.pk).update(
        state=ApprovalState.APPROVED, checker=by, decided_at=long_ago, tried_at=long_ago
    )
    return asked


def wanted(number: int, **named: int | None) -> LimitsRequest:
    """Return a wish to change limits."""
    return LimitsRequest(
        user=0,
        account=number,
        currency="INR",
        wanted={Limit(name): minor for name, minor in named.items()},
    )


def cooling_raise(number: int, *, of: User) -> LimitRaise:
    """Leave an owner's wish to raise a daily limit."""
    return LimitRaise.objects.create(
        account=number,
        limit=Limit.DAILY,
        minor=900,
        asked_by=of,
        asked_at=NOW,
        applies_at=NOW,
    )


class TestFreezing:
    def test_waits_for_a_second_admin(self, anjali: Caller, vivek: int, number: int) -> None:
        asked = ask_status(number, status=Status.FROZEN, admin=anjali, key="f", reason="stolen")
        assert status_of(number) == "open"
        with pytest.raises(OwnRequest):
            approve(asked.pk, checker=anjali.pk)
        assert approve(asked.pk, checker=vivek).state == ApprovalState.DONE
        assert status_of(number) == "frozen"
        back = ask_status(number, status=Status.OPEN, admin=anjali, key="u", reason="found")
        approve(back.pk, checker=vivek)
        assert status_of(number) == "open"

    def test_is_asked_for_once_under_a_key(self, anjali: Caller, number: int) -> None:
        def ask(status: Status, reason: str = "stolen") -> Approval:
            return ask_status(number, status=status, admin=anjali, key="f", reason=reason)  # type: ignore[arg-type]  # one of the two

        assert ask(Status.FROZEN) == ask(Status.FROZEN)
        for status, reason in ((Status.OPEN, "stolen"), (Status.FROZEN, "lost")):
            with pytest.raises(Refused) as refused:
                ask(status, reason)
            assert refused.value.reason is Code.KEY_REUSED
        assert Approval.objects.count() == 1

    def test_is_refused_without_an_account_or_a_reason(self, anjali: Caller, number: int) -> None:
        with pytest.raises(Refused) as refused:
            ask_status(number + 1, status=Status.FROZEN, admin=anjali, key="f", reason="stolen")
        assert refused.value.reason is Code.UNKNOWN_ACCOUNT
        with pytest.raises(InvalidText):
            ask_status(number, status=Status.FROZEN, admin=anjali, key="f", reason=" ")
        assert not Approval.objects.exists()


class TestClosing:
    def test_needs_a_balance_of_zero_and_is_done_at_once(
        self, anjali: Caller, asha: User, number: int
    ) -> None:
        with refusing(Code.BALANCE_NOT_ZERO):
            close_account(number, admin=anjali, key="c", reason="moves abroad", now=now())
        empty = customer_account(asha)
        for _ in range(2):
            close_account(empty, admin=anjali, key="d", reason="moves abroad", now=now())
        assert (status_of(number), status_of(empty)) == ("open", "closed")
        with pytest.raises(Refused) as refused:
            ask_status(empty, status=Status.OPEN, admin=anjali, key="e", reason="came back")
        assert refused.value.reason is Code.ACCOUNT_CLOSED


class TestLimits:
    def test_are_lowered_at_once_and_raised_by_two(
        self, anjali: Caller, vivek: int, number: int
    ) -> None:
        assert self.change(anjali, number, "a", daily_limit=100, transfer_limit=50) is None
        request = {"daily_limit": 200, "transfer_limit": 40}
        asked = self.change(anjali, number, "b", **request)
        assert asked is not None
        assert (limits(number).daily_limit, limits(number).transfer_limit) == (100, 40)
        approve(asked.pk, checker=vivek)
        assert (limits(number).daily_limit, limits(number).transfer_limit) == (200, 40)
        # The same once more changes nothing, also when there is nothing left to raise.
        assert self.change(anjali, number, "b", **request) == asked
        assert Approval.objects.count() == 1

    def test_that_were_lowered_are_not_raised_by_asking_again(
        self, anjali: Caller, asha: User, number: int
    ) -> None:
        for key, minor in (("a", 100), ("b", 50)):
            assert self.change(anjali, number, key, daily_limit=minor) is None
        cooling = cooling_raise(number, of=asha)
        assert self.change(anjali, number, "a", daily_limit=100) is None
        assert limits(number).daily_limit == 50
        assert not Approval.objects.exists()
        cooling.refresh_from_db()
        assert cooling.state == "cooling"
        with refusing(Code.KEY_REUSED):
            self.change(anjali, number, "a", daily_limit=200)

    @pytest.mark.parametrize(
        ("end", "asked", "raises"),
        [
            (BranchDown("MUM"), 0, ["cooling"]),
            (Refused(Code.ACCOUNT_CLOSED), 0, ["cooling"]),
            (OutcomeUnknown(), 1, ["cancelled"]),
        ],
    )
    def test_of_which_none_is_lowered_are_not_asked_to_be_raised_either(
        self,
        anjali: Caller,
        number: int,
        monkeypatch: pytest.MonkeyPatch,
        end: DomainError,
        asked: int,
        raises: list[str],
    ) -> None:
        """Unless nobody knows whether one was lowered: that the same request tells."""
        self.change(anjali, number, "a", daily_limit=100, transfer_limit=100)
        LimitRaise.objects.create(
            account=number,
            limit=Limit.TRANSFER,
            minor=900,
            asked_by_id=anjali.pk,
            asked_at=NOW,
            applies_at=NOW,
        )

        def fail(*_account: int, **_how: object) -> None:
            raise end

        with monkeypatch.context() as patch:
            patch.setattr(account_desk, "change_limits", fail)
            with pytest.raises(type(end)):
                self.change(anjali, number, "b", daily_limit=200, transfer_limit=50)
        assert Approval.objects.count() == asked
        assert [one.state for one in LimitRaise.objects.all()] == raises
        assert self.change(anjali, number, "b", daily_limit=200, transfer_limit=50) is not None
        assert limits(number).transfer_limit == 50
        assert [one.state for one in LimitRaise.objects.all()] == ["cancelled"]

    def test_stay_as_they_are_under_a_key_of_another_request(
        self, anjali: Caller, number: int
    ) -> None:
        self.change(anjali, number, "a", daily_limit=100)
        ask_status(number, status=Status.FROZEN, admin=anjali, key="f", reason="stolen")
        with refusing(Code.KEY_REUSED):
            self.change(anjali, number, "f", daily_limit=200, transfer_limit=1)
        assert limits(number).transfer_limit is None

    def test_that_cool_off_for_their_owner_are_forgotten(
        self, anjali: Caller, vivek: int, asha: User, number: int
    ) -> None:
        self.change(anjali, number, "a", daily_limit=100)
        cooling_raise(number, of=asha)
        asked = self.change(anjali, number, "b", daily_limit=200)
        assert asked is not None
        approve(asked.pk, checker=vivek)
        (raised,) = LimitRaise.objects.all()
        assert raised.state == "cancelled"
        forgotten = entries_of(raised)[-1]
        assert forgotten.by is not None
        assert forgotten.by.pk == vivek

    def test_that_are_lowered_forget_a_raise_in_the_name_of_who_lowers(
        self, anjali: Caller, asha: User, number: int
    ) -> None:
        raised = cooling_raise(number, of=asha)
        self.change(anjali, number, "a", daily_limit=100)
        forgotten = entries_of(raised)[-1]
        assert forgotten.pgh_diff == {"state": ["cooling", "cancelled"]}
        assert forgotten.by is not None
        assert (forgotten.by.pk, forgotten.credential) == (anjali.pk, "test")

    def test_that_are_lowered_stay_so_though_a_raise_was_approved_before(
        self, anjali: Caller, vivek: int, asha: User, number: int
    ) -> None:
        self.change(anjali, number, "a", daily_limit=100, transfer_limit=100)
        first = approved_and_left_over(self.change(anjali, number, "b", daily_limit=900), vivek)
        self.change(anjali, number, "c", daily_limit=50)
        second = approved_and_left_over(self.change(anjali, number, "d", transfer_limit=900), vivek)
        wish = LimitsRequest(
            user=asha.pk, account=number, currency="INR", wanted={Limit.TRANSFER: 40}
        )
        no_code = StepUp(fingerprint="", challenge=None, code=None)
        change_own_limits(wish, step_up=no_code, now=NOW)
        # Asked for again, what was done before overtakes nothing.
        third = approved_and_left_over(self.change(anjali, number, "e", daily_limit=700), vivek)
        self.change(anjali, number, "c", daily_limit=50)
        assert carry_out_left_over() == 1
        assert (limits(number).daily_limit, limits(number).transfer_limit) == (700, 40)
        for one, state in ((first, "failed"), (second, "failed"), (third, "done")):
            one.refresh_from_db()
            assert one.state == state

    def test_of_overdraft_wait_whether_higher_or_lower(
        self, anjali: Caller, vivek: int, number: int
    ) -> None:
        for minor in (5_000, 1_000):
            asked = ask_overdraft(
                wanted(number, overdraft_limit=minor),
                admin=anjali,
                key=f"to {minor}",
                reason="agreed",
                now=NOW,
            )
            approve(asked.pk, checker=vivek)
            assert limits(number).overdraft_limit == minor

    def change(self, admin: Caller, number: int, key: str, **named: int | None) -> Approval | None:
        """Change limits as an admin."""
        return change_account_limits(
            wanted(number, **named), admin=admin, key=key, reason="agreed", now=NOW
        )


class TestHolders:
    def test_are_authorised_at_once(self, anjali: Caller, number: int) -> None:
        vikram = person(full_name="Vikram Singh")
        changes: list[tuple[str, HeldRights | None]] = [("a", "authorised"), ("n", None)]
        for key, rights in changes:
            for _ in range(2):
                asked = self.change(anjali, number, vikram, key, rights)
                assert asked is None
            found = Holding.objects.filter(account=number, user=vikram)
            assert [one.rights for one in found] == ([rights] if rights else [])

    def test_become_owners_and_cease_to_be_by_two(
        self, anjali: Caller, vivek: int, number: int
    ) -> None:
        vikram = person(full_name="Vikram Singh")
        changes: list[tuple[str, HeldRights]] = [("o", "owner"), ("a", "authorised")]
        for key, rights in changes:
            asked = self.change(anjali, number, vikram, key, rights)
            assert asked is not None
            assert approve(asked.pk, checker=vivek).state == ApprovalState.DONE
            found = Holding.objects.filter(account=number, user=vikram)
            assert [one.rights for one in found] == [rights]

    def test_are_what_was_decided_last_though_more_was_approved_before(
        self, anjali: Caller, vivek: int, number: int
    ) -> None:
        vikram = person()
        asked = self.change(anjali, number, vikram, "a", "owner")
        approved_and_left_over(asked, vivek)
        assert self.change(anjali, number, vikram, "b", "authorised") is None
        carry_out_left_over()
        assert Holding.objects.get(account=number, user=vikram).rights == "authorised"

    def test_keep_an_owner_among_them(
        self, anjali: Caller, vivek: int, asha: User, number: int
    ) -> None:
        asked = self.change(anjali, number, asha, "n", None)
        assert asked is not None
        decided = approve(asked.pk, checker=vivek)
        assert (decided.state, decided.words) == (
            ApprovalState.FAILED,
            "An account keeps an owner.",
        )
        assert Holding.objects.filter(account=number, user=asha).exists()

    def test_are_customers(self, anjali: Caller, vivek: int, number: int) -> None:
        with pytest.raises(NotACustomer):
            self.change(anjali, number, User.objects.get(pk=vivek), "x", "authorised")

    def change(
        self, admin: Caller, number: int, holder: User, key: str, rights: HeldRights | None
    ) -> Approval | None:
        """Change what a person may do with an account."""
        return change_rights(
            number, person=holder, rights=rights, admin=admin, key=key, reason="asked for"
        )
