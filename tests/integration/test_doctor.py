"""The doctor finds what is broken, and nothing where all is well."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import psycopg
import pytest
from django.conf import settings as usual
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import sql
from pytest_django import Settings
from redis import Redis

from bankproject.doctor import (
    backups,
    certificates,
    configuration,
    copies,
    examination,
    machine,
    nodes,
)
from bankproject.doctor.findings import Findings
from bankproject.runtime.postgres import BankUrls
from core.clock import now
from core.db import aliases
from core.db.addresses import database_settings
from tests.certificates import Authority, serving
from tests.servers import TestServer
from transactions.branches.health import Health

GOOD_KEY: Final = "k3yW!thM4nyDifferentLettersThatNobodyGuesses_0987"


def told(found: Findings) -> str:
    """Return what was found, as people read it."""
    return "\n".join(f"{one.level} {one.about} {one.sentence}" for one in found)


@pytest.fixture
def public(settings: Settings) -> Settings:
    """Give the settings of a bank that strangers reach, with nothing wrong about them."""
    settings.SECRET_KEY = GOOD_KEY
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://bank.example", [".example"]
    settings.STAFF_NEED_SECOND_FACTOR = True
    settings.EMAIL_HOST, settings.SMS_URL = "mail.example", "twilio://x"
    settings.BANK_DEMO = settings.ALLOW_PRIVATE_ADDRESSES = False
    return settings


class TestSettings:
    def test_without_fault_are_fine(self, public: Settings) -> None:
        assert public.SECRET_KEY == GOOD_KEY
        for check in (configuration.secrets, configuration.addresses, configuration.openness):
            assert told(check()) == ""

    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("SECRET_KEY", "short", "danger SECRET_KEY has fewer than"),
            ("SECRET_KEY", "ab" * 40, "danger SECRET_KEY has fewer than"),
            ("SECRET_KEY_FALLBACKS", ["short"], "danger SECRET_KEY_FALLBACKS has fewer"),
            ("BALANCER_TOKEN", "token", "danger BALANCER_TOKEN has fewer"),
            ("ALLOWED_HOSTS", ["*"], "danger ALLOWED_HOSTS lets anybody"),
            ("ALLOWED_HOSTS", ["bank.test"], "danger ALLOWED_HOSTS lacks bank.example"),
            ("BACKEND_NETWORKS", ["10.0.0.0/8"], "danger TRUSTED_PROXY_COUNT is 0"),
            ("DEBUG", True, "danger DEBUG is on"),
            ("ALLOW_PLAINTEXT", True, "warning ALLOW_PLAINTEXT is on"),
            ("BANK_DEMO", True, "danger BANK_DEMO is on"),
            ("STAFF_NEED_SECOND_FACTOR", False, "danger STAFF_NEED_SECOND_FACTOR is off"),
            ("ALLOW_PRIVATE_ADDRESSES", True, "danger ALLOW_PRIVATE_ADDRESSES is on"),
            ("SMS_URL", None, "warning SMS_URL is not set"),
            ("EMAIL_HOST", "", "warning EMAIL_URL is not set"),
        ],
    )
    def test_with_a_fault_are_named(
        self, public: Settings, name: str, value: object, expected: str
    ) -> None:
        setattr(public, name, value)
        checks = (configuration.secrets, configuration.addresses, configuration.openness)
        found = "\n".join(told(check()) for check in checks)
        assert found.startswith(expected) or f"\n{expected}" in found
        assert str(value) not in found or len(str(value)) < 6 or name == "ALLOWED_HOSTS"

    def test_of_a_demo_on_this_machine_may_be_open(self, settings: Settings) -> None:
        settings.BANK_DEMO = settings.ALLOW_PRIVATE_ADDRESSES = True
        assert told(configuration.openness()) == told(configuration.django_advice()) == ""

    def test_have_djangos_advice_where_others_reach_them(self, public: Settings) -> None:
        public.SECURE_HSTS_SECONDS = 0
        assert "warning security.W004" in told(configuration.django_advice())


@pytest.mark.usefixtures("shared_bank")
class TestNode:
    @pytest.fixture
    def superuser(self, shared_bank: BankUrls, server: TestServer) -> Iterator[psycopg.Connection]:
        """Give the superuser's connection to the bank of these tests."""
        database = shared_bank.app.rpartition("/")[2]
        with psycopg.connect(server.superuser_url(database), autocommit=True) as superuser:
            yield superuser

    def test_that_is_well_is_fine(self) -> None:
        assert told(nodes.nodes()) == ""

    @pytest.mark.parametrize(
        ("broken", "mended", "expected"),
        [
            (
                "GRANT INSERT ON ledger.journal_default TO bank_app",
                "REVOKE INSERT ON ledger.journal_default FROM bank_app",
                "danger default lets bank_app change ledger.journal_default",
            ),
            (
                "GRANT CREATE ON SCHEMA public TO PUBLIC",
                "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
                "warning default is open to all roles",
            ),
            (
                "ALTER DATABASE {} SET synchronous_commit = off",
                "ALTER DATABASE {} RESET synchronous_commit",
                "danger default database 'default' runs with synchronous_commit = off",
            ),
            (
                "UPDATE django_migrations SET app = 'later' WHERE app = 'sessions'",
                "UPDATE django_migrations SET app = 'sessions' WHERE app = 'later'",
                "danger default lacks 1 migrations, first sessions.0001",
            ),
            (
                "UPDATE django_migrations SET app = 'later' WHERE app = 'sessions'",
                "UPDATE django_migrations SET app = 'sessions' WHERE app = 'later'",
                "warning default is newer than this code, by later.0001",
            ),
            (
                "ALTER TABLE ledger.journal_{month} RENAME TO hidden",
                "ALTER TABLE ledger.hidden RENAME TO journal_{month}",
                "danger default has partitions for 1 months only",
            ),
        ],
    )
    def test_that_is_broken_is_named(
        self, superuser: psycopg.Connection, broken: str, mended: str, expected: str
    ) -> None:
        words = {"month": f"{now() + timedelta(days=31):%Y_%m}"}
        name = f'"{superuser.info.dbname}"'
        superuser.execute(broken.format(name, **words).encode())
        try:
            connection.close()
            assert expected in told(nodes.nodes())
        finally:
            superuser.execute(mended.format(name, **words).encode())

    def test_with_transfers_outside_their_partitions_is_named(
        self, superuser: psycopg.Connection
    ) -> None:
        superuser.execute(
            "CREATE OR REPLACE FUNCTION ledger.rows_in_default_v1() RETURNS bigint"
            " LANGUAGE sql AS 'SELECT 3::bigint'"
        )
        assert "danger default has 3 transfers in the journal's default" in told(nodes.nodes())

    def test_that_is_reached_as_superuser_is_named(self, server: TestServer) -> None:
        before = connection.settings_dict
        superuser = {"USER": "postgres", "PASSWORD": server.password}
        connection.close()
        connection.settings_dict = {**before, **superuser}
        try:
            found = told(nodes.nodes())
        finally:
            connection.settings_dict = before
        assert "danger default is reached as postgres, which has rights over" in found
        assert "danger default lets postgres change ledger." in found

    def test_that_cannot_write_every_name_is_named(self, server: TestServer) -> None:
        before = connection.settings_dict
        how = "ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
        server.run(sql.SQL("CREATE DATABASE latin_1 " + how))
        connection.close()
        connection.settings_dict = {**before, "NAME": "latin_1"}
        try:
            found = told(nodes.unfitness("default"))
        finally:
            connection.close()
            connection.settings_dict = before
            server.drop("latin_1")
        assert found == (
            "danger default database 'default' is encoded in LATIN1, not UTF8: not every name"
            " could be written; make it anew with ENCODING 'UTF8'"
        )

    def test_that_is_silent_is_named(self) -> None:
        before = connection.settings_dict
        connection.close()
        connection.settings_dict = {**before, "PORT": "9"}
        try:
            assert told(nodes.nodes()).startswith("danger default does not answer")
        finally:
            connection.settings_dict = before

    def test_that_nobody_watches_is_named(self) -> None:
        assert "danger default was never swept" in told(copies.two_phase_commit())

    def test_gives_the_command_its_exit_status(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ending:
            call_command("doctor")
        assert ending.value.code == 1
        shown = capsys.readouterr().out
        assert "fine     addresses" in shown
        assert "danger   default was never swept" in shown

    def test_is_told_to_programs_and_ends_well_without_danger(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = {"two-phase commit": copies.two_phase_commit, "openness": configuration.openness}
        monkeypatch.setattr(examination, "CHECKS", asked)
        with pytest.raises(SystemExit):
            call_command("doctor", json=True)
        (found,) = json.loads(capsys.readouterr().out)["findings"]
        assert (found["level"], found["about"]) == ("danger", "default")
        monkeypatch.setattr(examination, "CHECKS", {"openness": configuration.openness})
        call_command("doctor", json=True)


class TestPulse:
    def test_of_what_is_prepared_for_long_is_named(self) -> None:
        node = Health(node="MUM", code="MUM", is_up=True, swept_at=now())
        assert told(copies.unsettled(node)) == told(copies.unwatched(node, at=now())) == ""
        stuck = Health(
            node="MUM",
            code="MUM",
            is_up=True,
            oldest_prepared_seconds=61.0,
            prepared_slots_used=90,
            prepared_slots_max=100,
        )
        assert "danger MUM has a transaction prepared for 61" in told(copies.unsettled(stuck))
        assert "warning MUM uses 90 of 100 slots" in told(copies.unsettled(stuck))
        at = now() + timedelta(seconds=61)
        assert "danger MUM was swept at" in told(copies.unwatched(node, at=at))

    def test_whose_folder_of_backups_may_not_be_read_hinders_no_other_check(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.BACKUP_DATABASE = {"USER": "bank_backup", "PASSWORD": "secret"}
        settings.BACKUP_FOLDER = Path("/x" * 2_500)
        asked = {"backups": backups.backups, "openness": configuration.openness}
        monkeypatch.setattr(backups, "look_at_nodes", list)
        monkeypatch.setattr(examination, "CHECKS", asked)
        (name, (found,)), (after, _fine) = examination.examine()
        assert (name, after) == ("backups", "openness")
        assert found.sentence.startswith("cannot be looked at: [Errno")
        with pytest.raises(CommandError, match="Errno"):
            call_command("backup", "status")

    def test_of_a_node_that_nobody_backs_up_is_named(self, public: Settings) -> None:
        node = Health(node="MUM", code="MUM", is_up=True)
        assert "warning MUM is not backed up" in told(backups.unreceived(node))
        public.PUBLIC_URL = "http://localhost:8000"
        assert told(backups.unreceived(node)) == ""
        left = Health(node="MUM", code="MUM", is_up=True, is_received=False)
        assert "danger MUM keeps its log for a backup" in told(backups.unreceived(left))
        kept = Health(node="MUM", code="MUM", is_up=True, is_received=True)
        assert told(backups.unreceived(kept)) == ""

    @pytest.mark.parametrize(("seconds", "level"), [(0.9, ""), (-2, "warning"), (11, "danger")])
    def test_of_a_clock_that_goes_wrong_is_named(self, seconds: float, level: str) -> None:
        assert told(nodes.clocks("MUM", timedelta(seconds=seconds))).startswith(level)
        assert bool(told(nodes.clocks("MUM", timedelta(seconds=seconds)))) == bool(level)


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Give an authority that signs certificates."""
    return Authority()


class TestCertificate:
    @pytest.mark.parametrize(
        ("days", "expected"),
        [
            (90, ""),
            (20, "warning lb has a certificate for 19 more days"),
            (3, "danger lb has a certificate for 2 more days"),
            (-1, "danger lb shows a certificate nobody believes: certificate has expired"),
        ],
    )
    def test_that_ends_soon_is_named(
        self, authority: Authority, tmp_path: Path, days: int, expected: str
    ) -> None:
        files = authority.sign(tmp_path, "localhost", days=days)
        with serving(files) as port:
            found = told(certificates.of_place(place(port, files.authority)))
        assert found.startswith(expected)
        assert bool(found) == bool(expected)

    def test_of_nobody_known_or_another_name_is_named(
        self, authority: Authority, tmp_path: Path
    ) -> None:
        files = authority.sign(tmp_path, "bank.example", days=90)
        with serving(files) as port:
            assert "unable to get local issuer" in told(certificates.of_place(place(port, None)))
            found = told(certificates.of_place(place(port, files.authority)))
        assert "danger lb shows a certificate nobody believes: Hostname mismatch" in found

    def test_of_each_server_of_a_node_is_looked_at(
        self, authority: Authority, tmp_path: Path
    ) -> None:
        for name in ("primary", "standby"):
            (tmp_path / name).mkdir()
        first = authority.sign(tmp_path / "primary", "localhost", days=90)
        second = authority.sign(tmp_path / "standby", "localhost", days=3)
        with (
            serving(first, as_postgres=True) as one,
            serving(second, as_postgres=True) as other,
        ):
            url = f"postgresql://bank_app:secret@localhost:{one},127.0.0.1:{other}/bank"
            url += f"?sslmode=verify-full&sslrootcert={first.authority}"
            aliases.add("BOM", database_settings(url, name="BOM", allow_plaintext=False))
            try:
                found = told(certificates.of_database("BOM"))
            finally:
                aliases.remove("BOM")
        about = f"BOM at 127.0.0.1:{other}"
        assert found == f"danger {about} has a certificate for 2 more days; renew it"

    def test_that_a_server_does_not_have_is_named(self) -> None:
        database, broker = connection.settings_dict, usual.REDIS_URL
        assert broker.startswith("redis://")
        spot = place(int(database["PORT"]), None)
        found = told(certificates.of_place(spot, certificates.ask_postgres))
        assert found == "warning lb shows no certificate: the server has no TLS"


def place(port: int, authority: Path | None) -> certificates.Place:
    """Return where a test's own server is."""
    return certificates.Place(
        about="lb", host="localhost", port=port, authorities=str(authority) if authority else None
    )


class TestMachine:
    def test_with_a_full_disk_is_named(
        self, monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
    ) -> None:
        monkeypatch.setattr("bankproject.env.VAR", tmp_path)
        assert told(machine.disk()) == ""
        monkeypatch.setattr(machine, "LEAST_FREE", 1 << 60)
        monkeypatch.setattr(machine, "LEAST_FREE_PART", 2)
        settings.BACKUP_FOLDER = tmp_path / "backups"
        settings.BACKUP_FOLDER.mkdir()
        for folder in (tmp_path, settings.BACKUP_FOLDER):
            assert f"danger {folder} has" in told(machine.disk())

    def test_with_a_broker_that_forgets_or_is_away_is_named(self, settings: Settings) -> None:
        broker = Redis.from_url(settings.REDIS_URL)
        assert told(machine.broker()) == ""
        broker.config_set("maxmemory-policy", "allkeys-lru")
        try:
            assert "danger REDIS_URL forgets tasks" in told(machine.broker())
        finally:
            broker.config_set("maxmemory-policy", "noeviction")
        settings.REDIS_URL = settings.REDIS_URL.replace("@", "x@")
        assert "danger REDIS_URL does not answer" in told(machine.broker())

    def test_with_a_broker_that_is_too_old_is_named(self) -> None:
        said = {"redis_version": "6.2.7", "maxmemory_policy": "noeviction"}
        assert "danger REDIS_URL is Redis 6.2.7" in told(machine.of_broker(said))

    def test_without_collected_files_is_named(self, settings: Settings, tmp_path: Path) -> None:
        assert told(machine.static_files()) == ""
        name = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
        settings.STATIC_ROOT = tmp_path
        settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": name}}
        assert "danger STATIC_ROOT is empty" in told(machine.static_files())
