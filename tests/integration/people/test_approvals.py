"""Maker and checker: one asks, another decides, once, and it is done once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from accounts.approvals import (
    LIFE,
    AlreadyDecided,
    BeingDone,
    OwnRequest,
    UnknownApproval,
    approve,
    ask_approval,
    carry_out_left_over,
    may_decide,
    overtake,
    refuse,
)
from accounts.models import Approval, User
from accounts.turns import _keys
from core.db.errors import Busy
from core.errors import DomainError
from tests import factories
from tests.factories import customer_account, person
from tests.integration.people.conftest import TRY, Tries
from transactions.branches.directory import connect

pytestmark = pytest.mark.django_db


@pytest.fixture
def maker() -> User:
    """Give who asks."""
    return person(full_name="Anjali Bhatt")


@pytest.fixture
def checker() -> User:
    """Give who decides."""
    return factories.checker(full_name="Vivek Menon")


def ask(maker: User, **payload: Any) -> Approval:
    return ask_approval(maker=maker.pk, action=TRY, payload=payload, reason="as agreed")


class TestApproving:
    def test_does_what_was_asked_for_and_keeps_what_came_of_it(
        self, tries: Tries, maker: User, checker: User
    ) -> None:
        asked = ask(maker, amount="5.00")
        done = approve(asked.pk, checker=checker.pk)
        assert tries.calls == [
            ({"amount": "5.00", "approval": str(asked.pk)}, maker.pk, checker.pk)
        ]
        assert (done.state, done.result, done.checker) == ("done", {"tries": 1}, checker)
        assert done.decided_at is not None

    def test_is_never_the_makers(self, tries: Tries, maker: User) -> None:
        asked = ask(maker)
        with pytest.raises(OwnRequest):
            approve(asked.pk, checker=maker.pk)
        with pytest.raises(OwnRequest):
            refuse(asked.pk, checker=maker.pk, reason="no")
        assert tries.calls == []

    def test_is_not_the_makers_for_the_database_either(self, tries: Tries, maker: User) -> None:  # noqa: ARG002  # registers
        asked = ask(maker)
        with pytest.raises(IntegrityError, match="approval_is_by_another"), transaction.atomic():
            Approval.objects.filter(pk=asked.pk).update(checker=maker)

    def test_happens_once(self, tries: Tries, maker: User, checker: User) -> None:
        asked = ask(maker)
        approve(asked.pk, checker=checker.pk)
        with pytest.raises(AlreadyDecided):
            approve(asked.pk, checker=checker.pk)
        with pytest.raises(AlreadyDecided):
            refuse(asked.pk, checker=checker.pk, reason="too late")
        assert len(tries.calls) == 1

    def test_keeps_why_it_failed(self, tries: Tries, maker: User, checker: User) -> None:
        tries.error = DomainError("The account is closed.")
        failed = approve(ask(maker).pk, checker=checker.pk)
        assert (failed.state, failed.words) == ("failed", "The account is closed.")

    def test_of_what_there_is_not_is_refused(self, checker: User) -> None:
        with pytest.raises(UnknownApproval):
            approve(10**30, checker=checker.pk)


class TestWhatASilentBranchHoldsUp:
    def test_is_done_by_the_watch_once_the_branch_is_back(
        self, tries: Tries, maker: User, checker: User
    ) -> None:
        tries.error = Busy("not now")
        held_up = approve(ask(maker).pk, checker=checker.pk)
        assert held_up.state == "approved"
        assert carry_out_left_over() == 0
        Approval.objects.update(tried_at=Now() - timedelta(minutes=1))
        tries.error = None
        assert carry_out_left_over() == 1
        held_up.refresh_from_db()
        assert (held_up.state, held_up.result) == ("done", {"tries": 2})
        assert carry_out_left_over() == 0

    def test_stays_approved_also_when_the_action_itself_is_at_fault(
        self, tries: Tries, maker: User, checker: User
    ) -> None:
        tries.error = RuntimeError("a fault of ours")
        asked = ask(maker)
        with pytest.raises(RuntimeError):
            approve(asked.pk, checker=checker.pk)
        asked.refresh_from_db()
        assert (asked.state, asked.result) == ("approved", None)


class TestTwoDecisionsAboutTheSame:
    def test_leave_the_later_one_standing(self, tries: Tries, maker: User, checker: User) -> None:
        tries.error = Busy("not now")
        freezing = approve(ask(maker, about=["7"], to="frozen").pk, checker=checker.pk)
        Approval.objects.update(tried_at=Now() - timedelta(minutes=1))
        tries.error = None
        opening = approve(ask(maker, about=["7"], to="open").pk, checker=checker.pk)
        assert carry_out_left_over() == 1
        freezing.refresh_from_db()
        assert (freezing.state, opening.state) == ("failed", "done")
        assert "overtook" in freezing.words
        assert [payload["to"] for payload, *_ in tries.calls] == ["frozen", "open"]

    def test_are_never_carried_out_at_once(self, tries: Tries, maker: User, checker: User) -> None:
        tries.error = Busy("not now")
        freezing = approve(ask(maker, about=["7"], to="frozen").pk, checker=checker.pk)
        tries.error = None
        opening = approve(ask(maker, about=["7", "8"], to="open").pk, checker=checker.pk)
        assert (opening.state, len(tries.calls)) == ("approved", 1)
        Approval.objects.update(tried_at=Now() - timedelta(minutes=1))
        carry_out_left_over()
        for one in (freezing, opening):
            one.refresh_from_db()
        assert (freezing.state, opening.state) == ("failed", "done")

    def test_wait_for_each_other_however_long_one_takes(
        self, tries: Tries, maker: User, checker: User
    ) -> None:
        tries.error = Busy("not now")
        opening = approve(ask(maker, about=["7"]).pk, checker=checker.pk)
        tries.error = None
        Approval.objects.update(tried_at=Now() - timedelta(minutes=1))
        with connect("default") as under_way:
            held = "SELECT pg_advisory_lock(%s)"
            under_way.execute(held, _keys([f"{TRY} 7"]))
            assert carry_out_left_over() == 1
            later = approve(ask(maker, about=["7", "8"]).pk, checker=checker.pk)
            with pytest.raises(BeingDone), transaction.atomic():
                overtake(TRY, {"about": ["7"]})
            # A server notices only in a while that a connection is closed.
            under_way.execute("SELECT pg_advisory_unlock_all()")
        opening.refresh_from_db()
        assert (opening.state, later.state, len(tries.calls)) == ("approved", "approved", 1)
        Approval.objects.update(tried_at=Now() - timedelta(minutes=1))
        carry_out_left_over()
        later.refresh_from_db()
        assert later.state == "done"

    def test_end_the_earlier_one_also_when_the_later_needed_no_approval(
        self, tries: Tries, maker: User, checker: User
    ) -> None:
        tries.error = Busy("not now")
        same = approve(ask(maker, about=["7", "8"]).pk, checker=checker.pk)
        other = approve(ask(maker, about=["9"]).pk, checker=checker.pk)
        tries.error = None
        with transaction.atomic():
            overtake(TRY, {"about": ["8"]})
        Approval.objects.update(tried_at=Now() - timedelta(minutes=1))
        carry_out_left_over()
        for one in (same, other):
            one.refresh_from_db()
        assert (same.state, other.state) == ("failed", "done")
        assert "overtook" in same.words

    def test_are_two_when_they_are_about_others(
        self, tries: Tries, maker: User, checker: User
    ) -> None:
        tries.error = Busy("not now")
        one = approve(ask(maker, about=["7"]).pk, checker=checker.pk)
        tries.error = None
        assert approve(ask(maker, about=["8"]).pk, checker=checker.pk).state == "done"
        Approval.objects.update(tried_at=Now() - timedelta(minutes=1))
        carry_out_left_over()
        one.refresh_from_db()
        assert one.state == "done"


class TestRefusing:
    def test_does_nothing_and_keeps_why(self, tries: Tries, maker: User, checker: User) -> None:
        refused = refuse(ask(maker).pk, checker=checker.pk, reason="the papers are missing")
        assert (refused.state, refused.words) == ("refused", "the papers are missing")
        assert tries.calls == []

    def test_needs_a_reason(self, tries: Tries, maker: User, checker: User) -> None:  # noqa: ARG002  # registers
        with pytest.raises(DomainError, match="say why"):
            refuse(ask(maker).pk, checker=checker.pk, reason=" ")


class TestARequest:
    def test_expires_after_a_week(self, tries: Tries, maker: User, checker: User) -> None:
        asked = ask(maker)
        Approval.objects.update(asked_at=Now() - LIFE)
        with pytest.raises(AlreadyDecided):
            approve(asked.pk, checker=checker.pk)
        carry_out_left_over()
        asked.refresh_from_db()
        assert (asked.state, tries.calls) == ("expired", [])

    def test_expires_that_could_not_be_done_for_a_week(
        self, tries: Tries, maker: User, checker: User
    ) -> None:
        tries.error = Busy("not now")
        asked = approve(ask(maker).pk, checker=checker.pk)
        Approval.objects.update(decided_at=Now() - LIFE, tried_at=Now() - timedelta(minutes=1))
        assert carry_out_left_over() == 0
        asked.refresh_from_db()
        assert (asked.state, len(tries.calls)) == ("expired", 1)

    @pytest.mark.parametrize(
        "change", [{"status": "suspended", "is_active": False}, {"role": "customer"}]
    )
    def test_is_outdated_once_its_maker_is_dismissed(
        self, tries: Tries, maker: User, checker: User, change: dict[str, Any]
    ) -> None:
        User.objects.filter(pk=maker.pk).update(role="admin")
        asked = ask(maker)
        User.objects.filter(pk=maker.pk).update(**change)
        outdated = approve(asked.pk, checker=checker.pk)
        assert (outdated.state, tries.calls) == ("failed", [])
        assert "asked anew" in outdated.words

    def test_of_a_customer_does_not_depend_on_what_they_are_by_now(
        self, tries: Tries, maker: User, checker: User
    ) -> None:
        asked = ask(maker)
        User.objects.filter(pk=maker.pk).update(status="suspended", is_active=False)
        assert approve(asked.pk, checker=checker.pk).state == "done"
        assert len(tries.calls) == 1

    @pytest.mark.parametrize(
        "change",
        [{"status": "suspended", "is_active": False}, {"role": "employee", "is_staff": False}],
    )
    def test_is_not_carried_out_once_its_checker_is_dismissed(
        self, tries: Tries, maker: User, checker: User, change: dict[str, Any]
    ) -> None:
        tries.error = Busy("not now")
        asked = approve(ask(maker).pk, checker=checker.pk)
        tries.error = None
        User.objects.filter(pk=checker.pk).update(**change)
        if "role" in change:
            checker.user_permissions.clear()
        Approval.objects.update(tried_at=Now() - timedelta(minutes=1))
        carry_out_left_over()
        asked.refresh_from_db()
        assert (asked.state, len(tries.calls)) == ("failed", 1)
        assert "may not decide any more" in asked.words

    @pytest.mark.parametrize("about", ["person", "account"])
    def test_is_not_decided_by_whom_it_is_about(
        self, tries: Tries, maker: User, checker: User, about: str
    ) -> None:
        if about == "person":
            asked = ask(maker, person=checker.pk)
        else:
            asked = ask(maker, account=str(customer_account(checker)))
        with pytest.raises(OwnRequest, match="concerns you"):
            approve(asked.pk, checker=checker.pk)
        with pytest.raises(OwnRequest, match="concerns you"):
            refuse(asked.pk, checker=checker.pk, reason="not about me")
        assert not may_decide(asked, person=checker.pk)
        assert may_decide(asked, person=person().pk)
        assert tries.calls == []

    def test_is_of_a_known_kind(self, maker: User) -> None:
        with pytest.raises(ValueError, match="no action"):
            ask_approval(maker=maker.pk, action="nothing", payload={}, reason="x")
