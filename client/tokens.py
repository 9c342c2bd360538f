"""Where the tokens of a log-in are kept: with the operating system, else in a file of one's own."""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_SERVICE: Final = "bank-terminal"
_KEYRING: Final = "keyring"
_OTHERS: Final = 0o077


@dataclass(frozen=True, slots=True)
class Tokens:
    """What lets its bearer in: for minutes, and for the next such minutes."""

    access: str
    refresh: str


def own_folder() -> Path:
    """Return the folder of the person's settings for this program."""
    return Path(click.get_app_dir("bank"))


class TokenStore:
    """The tokens of one person at one bank, by the bank's address."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._folder = own_folder()
        self._file = self._folder / "tokens.json"

    def load(self) -> Tokens | None:
        """Return the tokens, or None for nobody logged in."""
        kept = self._read().get(self._url)
        if kept == _KEYRING:
            kept = _from_keyring(self._url)
        if not isinstance(kept, dict) or kept.keys() != {"access", "refresh"}:
            return None
        return Tokens(**kept)

    def save(self, tokens: Tokens) -> Path | None:
        """Keep the tokens; return the file when there was nothing better to keep them in.

        The caller holds the lock.
        """
        told = {"access": tokens.access, "refresh": tokens.refresh}
        is_safe = _to_keyring(self._url, json.dumps(told))
        self._write({**self._read(), self._url: _KEYRING if is_safe else told})
        return None if is_safe else self._file

    def forget(self) -> None:
        """Keep no tokens of this bank. The caller holds the lock."""
        kept = self._read()
        if kept.pop(self._url, None) == _KEYRING:
            _out_of_keyring(self._url)
        self._write(kept)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one command at a time change tokens.

        A refresh token counts once: of two commands that both used it the bank would believe that
        one is a thief.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _read(self) -> dict[str, Any]:
        try:
            if self._file.stat().st_mode & _OTHERS:
                self._file.chmod(0o600)
            kept = json.loads(self._file.read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}

    def _write(self, kept: dict[str, Any]) -> None:
        """Put a new file in the old one's place, for its owner's eyes from its first byte on."""
        handle, name = tempfile.mkstemp(dir=self._folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(kept, file)
        Path(name).replace(self._file)


def _keyring() -> "KeyringBackend | None":
    """Return the operating system's own store, if one is there and open."""
    import keyring
    from keyring.backends import fail, null

    found = keyring.get_keyring()
    return None if isinstance(found, fail.Keyring | null.Keyring) else found


def _to_keyring(url: str, secret: str) -> bool:
    import keyring.errors

    store = _keyring()
    if store is None:
        return False
    try:
        store.set_password(_SERVICE, url, secret)
    except keyring.errors.KeyringError:
        return False
    return True


def _from_keyring(url: str) -> dict[str, str] | None:
    import keyring.errors

    store = _keyring()
    if store is None:
        return None
    try:
        secret = store.get_password(_SERVICE, url)
    except keyring.errors.KeyringError:
        return None
    return None if secret is None else dict(json.loads(secret))


def _out_of_keyring(url: str) -> None:
    import keyring.errors

    if store := _keyring():
        with suppress(keyring.errors.KeyringError):
            store.delete_password(_SERVICE, url)
