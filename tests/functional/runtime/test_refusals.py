"""What hinders a start is told in one clear line, with exit status 1."""

import json
import re
import shlex
import shutil
import socket
from pathlib import Path

import pytest

from bankproject.runtime.home import SECRET_NAMES
from bankproject.runtime.postgres import embedded
from tests.functional.runtime.terminal import RUN, Bank
from tests.functional.runtime.views import mounted, ordinary_user


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    """Give a bank that was never opened."""
    return Bank(tmp_path / "var")


def complaint(bank: Bank, *, prefix: tuple[str, ...] = (), **environment: str) -> str:
    """Return the one line that a refused start shows."""
    with bank.run(RUN, prefix=prefix, **environment) as terminal:
        status = terminal.wait()
        lines = terminal.shown.strip().splitlines()
    assert status == 1
    assert len(lines) == 1, terminal.shown
    return lines[0].removeprefix("The bank cannot start: ")


class TestPort:
    def test_taken_port_is_named_with_a_way_out(self, bank: Bank) -> None:
        with socket.create_server(("127.0.0.1", bank.port)):
            expected = f"port {bank.port} is taken; choose another, as in `make run PORT="
            assert complaint(bank).startswith(expected)

    @pytest.mark.parametrize("port", ["0", "65536", "99999999999"])
    def test_impossible_port_is_named(self, bank: Bank, port: str) -> None:
        assert f"PORT={port} is no port" in complaint(bank, PORT=port)

    @pytest.mark.parametrize("port", ["http", "-1", "80.5", "\uff18000"])
    def test_port_that_is_no_number_is_named(self, bank: Bank, port: str) -> None:
        assert "PORT must be a whole number" in complaint(bank, PORT=port)


class TestHost:
    @pytest.mark.parametrize("host", ["here", "127.0.0.1:80", "127.0.0.256"])
    def test_that_is_no_address_is_named(self, bank: Bank, host: str) -> None:
        assert f"HOST must be an IP address of this machine, not '{host}'" in complaint(
            bank, HOST=host
        )

    @pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1"])  # noqa: S104  to be refused
    def test_that_others_reach_is_refused_without_tls(self, bank: Bank, host: str) -> None:
        assert (
            f"HOST reaches {host} without TLS; serve it on 127.0.0.1 behind a proxy"
            in complaint(bank, HOST=host)
        )

    def test_is_not_allowed_by_what_a_killed_run_was_told(self, bank: Bank) -> None:
        nodes = bank.folder / "run" / "nodes.json"
        nodes.parent.mkdir(parents=True)
        nodes.write_text('{"ALLOW_PLAINTEXT": "1"}', encoding="ascii")
        refused = complaint(bank, HOST="0.0.0.0")  # noqa: S104  to be refused
        assert "HOST reaches 0.0.0.0 without TLS" in refused

    def test_of_another_machine_is_named(self, bank: Bank) -> None:
        with bank.run(RUN, HOST="192.0.2.1", ALLOW_PLAINTEXT="1") as terminal:
            assert terminal.wait() == 1
        assert "HOST=192.0.2.1 is no address of this machine" in terminal.shown


class TestNodes:
    @pytest.mark.parametrize(
        ("urls", "line"),
        [
            ("mum=postgresql://localhost/b", "'mum' is no code for a branch"),
            ("MUM", "BRANCH_DATABASE_URLS must be CODE=postgresql://"),
            (
                "MUM=postgresql://localhost/b,MUM=postgresql://localhost/c",
                "BRANCH_DATABASE_URLS names branch MUM twice",
            ),
            (
                "MUM=postgresql://db.example/b",
                "BRANCH_DATABASE_URLS of MUM reaches db.example without TLS",
            ),
        ],
    )
    def test_that_are_not_understood_are_named(self, bank: Bank, urls: str, line: str) -> None:
        said = complaint(
            bank,
            BRANCH_DATABASE_URLS=urls,
            DATABASE_URL="postgresql://bank_app@localhost/bank",
            OWNER_DATABASE_URL="postgresql://bank_owner@localhost/bank",
        )
        assert line in said

    def test_of_others_beside_own_servers_are_refused(self, bank: Bank) -> None:
        line = "BRANCH_DATABASE_URLS is set and DATABASE_URL is not"
        assert line in complaint(bank, BRANCH_DATABASE_URLS="MUM=postgresql://localhost/b")


class TestFolder:
    def test_file_in_its_place_is_named(self, bank: Bank) -> None:
        bank.folder.write_text("no folder", encoding="ascii")
        assert f"{bank.folder} is in the way: it must be a folder" in complaint(bank)

    def test_file_in_place_of_a_part_is_named(self, bank: Bank) -> None:
        bank.folder.mkdir()
        (bank.folder / "data").write_text("no folder", encoding="ascii")
        assert f"{bank.folder}/data is in the way" in complaint(bank)

    def test_lost_secrets_are_named(self, bank: Bank) -> None:
        (bank.folder / "data" / "postgres").mkdir(parents=True)
        assert "is gone, and with it the passwords" in complaint(bank)

    def test_damaged_secrets_are_named(self, bank: Bank) -> None:
        bank.folder.mkdir()
        (bank.folder / "secrets").write_text("{}", encoding="ascii")
        assert f"{bank.folder}/secrets is damaged" in complaint(bank)

    @pytest.mark.parametrize(
        ("version", "line"),
        [
            (b"13\n", "holds data of PostgreSQL 13, but the server here is"),
            (b"\xff\x00", "PG_VERSION is damaged"),
            (b"", "PG_VERSION is damaged"),
        ],
    )
    def test_data_of_another_version_are_named(self, bank: Bank, version: bytes, line: str) -> None:
        data = bank.folder / "data" / "postgres"
        data.mkdir(parents=True)
        (data / "PG_VERSION").write_bytes(version)
        secrets = json.dumps(dict.fromkeys(SECRET_NAMES, "x"))
        (bank.folder / "secrets").write_text(secrets, encoding="ascii")
        assert line in complaint(bank)
        assert [*data.parent.iterdir()] == [data]

    @pytest.mark.usefixtures("as_root")
    def test_folder_of_somebody_else_is_named(self, bank: Bank) -> None:
        bank.folder.mkdir()
        with ordinary_user() as prefix:
            assert "cannot be used: Permission denied" in complaint(bank, prefix=prefix)


class TestMachine:
    def test_full_disk_is_named(self, bank: Bank, own_mounts: tuple[str, ...]) -> None:
        bank.folder.mkdir()
        mount = f"mount -t tmpfs -o size=50m tmpfs {shlex.quote(str(bank.folder))}"
        line = complaint(bank, prefix=mounted(own_mounts, mount))
        assert re.search(r"is full: (49|50) MB free, 300 MB needed", line)

    def test_disk_that_fills_while_data_are_made_is_named(
        self, bank: Bank, own_mounts: tuple[str, ...]
    ) -> None:
        bank.folder.mkdir()
        mount = f"mount -t tmpfs -o size=400m,nr_inodes=100 tmpfs {shlex.quote(str(bank.folder))}"
        assert "No space left on device" in complaint(bank, prefix=mounted(own_mounts, mount))

    def test_missing_library_is_named(
        self, bank: Bank, own_mounts: tuple[str, ...], tmp_path: Path
    ) -> None:
        server = embedded().folder / "postgres"
        crippled = tmp_path / "postgres"
        crippled.write_bytes(server.read_bytes().replace(b"libz.so.1\0", b"libq.so.1\0"))
        shutil.copymode(server, crippled)
        mount = shlex.join(["mount", "--bind", str(crippled), str(server)])
        assert "libq.so.1: cannot open shared object" in complaint(
            bank, prefix=mounted(own_mounts, mount)
        )
