"""What several do at once, what the owner may, and what a silent head office means."""

import threading
from datetime import timedelta
from time import monotonic, sleep

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from pytest_django.fixtures import Settings

from accounts import known
from accounts.access_log import LookNotNoted, note_viewed
from accounts.approvals import AlreadyDecided, approve, ask_approval
from accounts.keys import KeyRequest, make_key
from accounts.models import ApiKey, Role, Session, StatusChange, UserStatus, Viewing
from accounts.standing import epoch_of, standing_of
from accounts.status import change_person_status
from accounts.tokens import InvalidToken
from bankproject.runtime.postgres import BankUrls
from core import clock
from tests.factories import checker, person
from tests.integration.door.test_outages import cache_away
from tests.integration.people.conftest import TRY, Tries


def test_of_two_who_decide_at_once_one_does(fresh_bank: BankUrls, tries: Tries) -> None:
    assert fresh_bank
    asked = ask_approval(maker=person().pk, action=TRY, payload={}, reason="as agreed")
    checkers = [checker().pk for _ in range(4)]
    came_of_it: list[str] = []

    def decide(who: int) -> None:
        try:
            came_of_it.append(approve(asked.pk, checker=who).state)
        except AlreadyDecided as error:
            came_of_it.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=decide, args=[one]) for one in checkers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came_of_it) == ["already_decided"] * 3 + ["done"]
    assert len(tries.calls) == 1


def test_no_key_is_made_across_a_change_of_the_password(fresh_bank: BankUrls) -> None:
    assert fresh_bank
    asha, now = person(), clock.now()
    epoch = epoch_of(asha)
    asked = KeyRequest(
        name="x",
        scopes=frozenset({"accounts:read"}),
        largest_transfer=None,
        expires_at=now + timedelta(days=1),
    )
    came_of_it: list[str] = []

    def make() -> None:
        try:
            make_key(asha.pk, asked, epoch=epoch, now=now)
        except InvalidToken as error:
            came_of_it.append(error.code)
        finally:
            connection.close()

    making = threading.Thread(target=make)
    with transaction.atomic():
        asha.set_password("seven purple elephants dance")
        asha.save()
        making.start()
        while making.is_alive() and not _somebody_waits():
            sleep(0.01)
    making.join()
    assert came_of_it == ["invalid_token"]
    assert not ApiKey.objects.exists()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


def test_a_look_that_cannot_be_noted_is_refused(
    fresh_bank: BankUrls, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fresh_bank
    meera, asha = person(role=Role.EMPLOYEE), person()
    connection.close()
    with monkeypatch.context() as patched:
        patched.setitem(connection.settings_dict, "PORT", "1")
        with pytest.raises(LookNotNoted):
            note_viewed(viewer=meera.pk, subject=asha.pk, what="personal data")
    assert not Viewing.objects.exists()


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("accounts_viewing", "viewer_id"),
        ("accounts_statuschange", "person_id"),
        ("accounts_userevent", "pgh_id"),
    ],
)
def test_what_was_written_is_not_the_owners_to_change_by_mistake(
    fresh_bank: BankUrls, table: str, column: str
) -> None:
    asha = person()
    Viewing.objects.create(viewer=person(), subject=asha, what="personal data")
    StatusChange.objects.create(person=asha, status="suspended", reason="x")
    with psycopg.connect(fresh_bank.owner, autocommit=True) as owner:
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = 7"):
            with pytest.raises(psycopg.Error, match="Cannot"):
                owner.execute(statement)


@pytest.mark.parametrize("path", ["me", "me/access-log", "branches", "admin/customers"])
def test_a_silent_head_office_is_a_problem_that_passes(
    fresh_bank: BankUrls, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    assert fresh_bank
    client = Client(raise_request_exception=False)
    client.force_login(person(role=Role.EMPLOYEE))
    assert client.get(f"/api/v1/{path}").status_code == 200
    connection.close()
    with monkeypatch.context() as patched:
        patched.setitem(connection.settings_dict, "PORT", "1")
        answer = client.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.json()["code"]) == (503, "head_office_down")
    assert answer.headers["Retry-After"] == "1"


def test_who_is_suspended_is_refused_at_once(fresh_bank: BankUrls) -> None:
    assert fresh_bank
    asha, admin = person(), person(role=Role.ADMIN)
    client = Client()
    client.force_login(asha)
    assert client.get("/api/v1/me").status_code == 200
    change_person_status(
        asha.pk, status=UserStatus.SUSPENDED, changed_by=admin, reason="stolen card"
    )
    assert client.get("/api/v1/me").status_code == 401
    assert not Session.objects.filter(person=asha, ended_at=None).exists()


def test_what_a_process_remembers_is_not_believed_for_ever(
    fresh_bank: BankUrls, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fresh_bank
    asha = person()
    remembered = standing_of(asha.pk)
    with cache_away(settings), monkeypatch.context() as patched:
        connection.close()
        patched.setitem(connection.settings_dict, "PORT", "1")
        for minutes in (5, 10, 14):
            patched.setattr(known, "monotonic", lambda m=minutes: monotonic() + m * 60)
            assert standing_of(asha.pk) == remembered
        patched.setattr(known, "monotonic", lambda: monotonic() + 15.1 * 60)
        with pytest.raises(OperationalError):
            standing_of(asha.pk)
