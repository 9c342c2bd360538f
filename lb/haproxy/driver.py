"""Make HAProxy obey snapshots, and give it the weights that its own answers earn."""

import asyncio
import re
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from lb.data.fleet import log
from lb.data.own_answers import OwnAnswers
from lb.data.source import SnapshotSource
from lb.data.tls import Door, Stamp, stamp_of
from lb.haproxy.configuration import Files, configuration, slots_for
from lb.haproxy.runtime import Haproxy, HaproxyRefusedError
from lb.haproxy.slots import Slots
from lb.snapshot import Snapshot

EVERY_SECONDS: Final = 1.0
# Server, status, milliseconds to the answer's head, how the session ended.
_LINE: Final = re.compile(rb"slot(\d+) (-?\d+) (-?\d+) (.)")
_BY_SERVER: Final = b"-Ss"
# What HAProxy answered itself: it asked no server, or one that was away, late, or lied.
_OWN: Final = re.compile(rb"(?:<NOSRV> (\d+) \S+ (..)|\S+ (\d+) \S+ ([PSs][CHQ])) (\S+)")


class Driver(asyncio.DatagramProtocol):
    """Follows snapshots and HAProxy's log, and tells HAProxy what follows from both."""

    def __init__(
        self,
        haproxy: Haproxy,
        files: Files,
        listen: tuple[str, int],
        *,
        certificate: Path | None = None,
        has_secret: bool = False,
    ) -> None:
        self.slots = Slots()
        self.obeyed = 0
        """The version that HAProxy was told."""
        self._snapshot: Snapshot | None = None
        self.haproxy = haproxy
        self._files = files
        self._listen = listen
        self._certificate = certificate
        self._has_secret = has_secret
        self._configured = ""
        self._shown: Stamp | None = None
        self._number = 0
        self._worker = ""
        self._news = asyncio.Event()
        self._own_answers = OwnAnswers()

    async def run(self, location: str, token: str | None) -> None:
        """Drive until cancelled.

        Raises ``HaproxyRefusedError`` when HAProxy does not start, or ends by itself.
        """
        loop = asyncio.get_running_loop()
        endpoint, _self = await loop.create_datagram_endpoint(
            lambda: self, local_addr=str(self._files.log), family=socket.AF_UNIX
        )
        source = SnapshotSource(location, None, token)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(source.follow(self.obey))
                tasks.create_task(self._go_on())
        finally:
            endpoint.close()
            await self.haproxy.stop()

    def obey(self, snapshot: Snapshot) -> None:
        """Take in a newer snapshot."""
        self._snapshot = snapshot
        self._news.set()

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Read a line of HAProxy's log. What a client broke off says nothing of its backend."""
        del addr
        self._log_own(data)
        found = _LINE.match(data)
        if found is None or found[4] not in _BY_SERVER:
            return
        milliseconds = int(found[3])
        place = self.slots.places.get(int(found[1]))
        before = place.ejections if place else 0
        self.slots.answered(
            int(found[1]),
            status=int(found[2]),
            seconds=None if milliseconds < 0 else milliseconds / 1000,
            now=time.monotonic(),
        )
        if place and place.ejections > before:
            log("backend_ejected", backend=place.backend.name)
            self._news.set()

    def _log_own(self, data: bytes) -> None:
        if found := _OWN.match(data):
            status, state = found[1] or found[3], found[2] or found[4]
            self._own_answers.made(int(status), state.decode(), found[5], now=time.monotonic())

    async def _go_on(self) -> None:
        turned = time.monotonic()
        while True:
            if self._snapshot is not None:
                await self._turn(self._snapshot)
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_SECONDS):
                    await self._news.wait()
            now = time.monotonic()
            if now >= turned + EVERY_SECONDS:
                self.slots.turn(now)
                turned = now

    async def _turn(self, snapshot: Snapshot) -> None:
        """Bring HAProxy from what it was told to what is wanted."""
        taken = len(snapshot.backends) + len(self.slots.places)
        self._number = max(self._number, slots_for(taken))
        text = configuration(
            snapshot,
            listen=self._listen,
            slots=self._number,
            files=self._files,
            certificate=self._certificate,
            has_secret=self._has_secret,
        )
        await self._configure(text)
        worker = await self.haproxy.worker()
        if not worker:
            return
        if worker != self._worker:
            log("haproxy_serves", worker=int(worker))
            self._worker = worker
            self.slots.forget()
        self.slots.obey(snapshot, slots=self._number, now=time.monotonic())
        await self._tell(snapshot.version)

    async def _configure(self, text: str) -> None:
        """Have HAProxy reload where its configuration, or the certificate's file, is another one.

        It goes on with the certificate that it has while the new one is not whole, or has expired.
        """
        before, self._shown = self._shown, self._stamp()
        if (text, before) == (self._configured, self._shown):
            return
        try:
            if self._certificate and before != self._shown:
                Door(self._certificate)
            await self.haproxy.configure(text)
        except (OSError, HaproxyRefusedError) as error:
            if text != self._configured:
                raise
            log("certificate_refused", why=str(error))
        self._configured = text

    def _stamp(self) -> Stamp | None:
        """Return how the certificate's file is; while it is being replaced, how it was."""
        if self._certificate:
            with suppress(OSError):
                return stamp_of(self._certificate)
        return self._shown

    async def _tell(self, version: int) -> None:
        try:
            await self.haproxy.tell(self.slots.commands(self._number))
            self.obeyed = version
        except (OSError, HaproxyRefusedError) as error:
            # It is told everything again in a second.
            log("haproxy_not_told", why=str(error))
            self.slots.forget()


def files_in(folder: str) -> Files:
    """Return the files in a folder."""
    return Files(folder=Path(folder))
