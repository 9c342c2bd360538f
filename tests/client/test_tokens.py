"""Where tokens are kept: in the system's key ring, and only without one in a file."""

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError, PasswordSetError

from client.tokens import Tokens, TokenStore

HERE = "https://bank.example"
TOKENS = Tokens(access="for five minutes", refresh="for the next")


class Ring(KeyringBackend):
    """A key ring that works, until it is locked."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the library is untyped there
        self.kept: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.is_locked:
            raise PasswordSetError
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ring]:
    """Give a system with a key ring, and a person with a home of their own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    usual, ring = keyring.get_keyring(), Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(usual)


def save(tokens: Tokens = TOKENS) -> Path | None:
    """Keep tokens of a bank, and return the file in which they are readable."""
    store = TokenStore(HERE)
    with store.locked():
        return store.save(tokens)


def test_a_key_ring_keeps_them_and_no_file_does(ring: Ring, tmp_path: Path) -> None:
    assert save() is None
    assert TokenStore(HERE).load() == TOKENS
    assert TokenStore("https://other.example").load() is None
    files = [file.read_text(encoding="utf-8") for file in (tmp_path / "bank").iterdir()]
    assert not [text for text in files if TOKENS.access in text or TOKENS.refresh in text]
    assert len(ring.kept) == 1


def test_forgetting_takes_them_out(ring: Ring) -> None:
    save()
    store = TokenStore(HERE)
    with store.locked():
        store.forget()
    assert ring.kept == {}
    assert store.load() is None


def test_a_locked_key_ring_leaves_the_file(ring: Ring, tmp_path: Path) -> None:
    ring.is_locked = True
    file = save()
    assert file == tmp_path / "bank" / "tokens.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert TokenStore(HERE).load() == TOKENS


def test_a_broken_file_means_that_nobody_is_logged_in(ring: Ring) -> None:
    ring.is_locked = True
    file = save()
    assert file is not None
    for broken in (
        "",
        "[]",
        "{",
        '{"https://bank.example": "keyring"}',
        '{"https://bank.example": {}}',
    ):
        file.write_text(broken, encoding="utf-8")
        assert TokenStore(HERE).load() is None
