"""Where snapshots come from, and what is obeyed while nothing comes."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from lb.data.fetching import fetch
from lb.data.fleet import log
from lb.data.heads import RefusedError
from lb.snapshot import MAX_BYTES, Snapshot, SnapshotInvalidError, read_snapshot

_EVERY_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 5.0
_OK: Final = 200
_NOT_MODIFIED: Final = 304


class SnapshotSource:
    """A file, or an http:// address whose snapshots are kept in a file for when it is silent.

    The token is shown to the address, and to nobody else.
    """

    def __init__(self, location: str, kept: Path | None, token: str | None) -> None:
        self._location = location
        self._token = token
        self._kept = kept
        self._version = 0
        self._complaint = ""

    async def follow(self, obey: Callable[[Snapshot], None]) -> None:
        """Hand on each newer snapshot, for ever. What cannot be read changes nothing."""
        while True:
            text = await self._read()
            if text is not None:
                self._take(text, obey)
            if self._version == 0 and self._kept is not None and self._kept.exists():
                self._take(self._kept.read_bytes(), obey)
            await asyncio.sleep(_EVERY_SECONDS)

    async def _read(self) -> bytes | None:
        try:
            if not self._location.startswith("http://"):
                return Path(self._location).read_bytes()  # noqa: ASYNC240  # short, and local
            return await self._fetch()
        except (OSError, RefusedError) as error:
            self._complain(f"{type(error).__name__}: {error}")
            return None

    async def _fetch(self) -> bytes | None:
        parts = urlsplit(self._location)
        address = (parts.hostname or "", parts.port or 80)
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        fields = {"Host": parts.netloc, "If-None-Match": f'"v{self._version}"'}
        if self._token:
            fields["Authorization"] = f"Bearer {self._token}"
        status, body = await fetch(
            address, path, fields=fields, seconds=_PATIENCE_SECONDS, most=MAX_BYTES
        )
        if status == _NOT_MODIFIED:
            return None
        if status != _OK:
            raise RefusedError(502, f"the control plane answers {status}")
        return body

    def _take(self, text: bytes, obey: Callable[[Snapshot], None]) -> None:
        try:
            snapshot = read_snapshot(text)
        except SnapshotInvalidError as error:
            self._complain(str(error))
            return
        if snapshot.version < self._version:
            self._complain(f"version {snapshot.version} is older than {self._version}")
        elif snapshot.version > self._version:
            obey(snapshot)
            self._version = snapshot.version
            self._complaint = ""
            self._keep(text)
            log("snapshot_obeyed", version=snapshot.version, backends=len(snapshot.backends))

    def _keep(self, text: bytes) -> None:
        if self._kept is None:
            return
        fresh = self._kept.with_name(f"{self._kept.name}.{os.getpid()}")
        with suppress(OSError):
            fresh.write_bytes(text)
            fresh.replace(self._kept)

    def _complain(self, why: str) -> None:
        """Say once what is wrong, not each second."""
        if why != self._complaint:
            self._complaint = why
            log("snapshot_not_read", why=why)
