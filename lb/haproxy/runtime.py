"""HAProxy's process, and its Runtime API."""

import asyncio
import re
import signal
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Final

from lb.data.fleet import log
from lb.haproxy.configuration import BACKEND, Files

PROGRAM: Final = "haproxy"
_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.01
_AT_ONCE: Final = 32
_PID: Final = re.compile(r"^Pid: (\d+)$", re.MULTILINE)
# What is answered to a new address although nothing is wrong.
_FINE: Final = ("IP changed from", "port changed from", "no need to change")


class HaproxyRefusedError(Exception):
    """HAProxy does not start, or did not do what it was told; the message is its own."""


class Haproxy:
    """One HAProxy with a master and a worker; the worker is another one after a reload."""

    def __init__(self, files: Files, program: str = PROGRAM) -> None:
        self._files = files
        self._program = program
        self._master: asyncio.subprocess.Process | None = None

    async def configure(self, text: str) -> None:
        """Start with a configuration, or go on with another one without losing a connection.

        Raises ``HaproxyRefusedError``, and goes on as before, when it is refused.
        """
        draft = self._files.configuration.with_suffix(".new")
        await asyncio.to_thread(draft.write_text, text)
        await self._try(draft)
        draft.replace(self._files.configuration)
        if self._master is None:
            self._master = await asyncio.create_subprocess_exec(
                *(self._program, "-W", "-f", str(self._files.configuration)),
                stderr=asyncio.subprocess.DEVNULL,
            )
            await self._until_another_worker("")
            return
        before = await self.worker()
        state = await self.ask("show servers state")
        await asyncio.to_thread(self._files.state.write_text, state)
        self._master.send_signal(signal.SIGUSR2)
        await self._until_another_worker(before)

    async def _try(self, file: Path) -> None:
        self._files.state.touch()
        tried = await asyncio.create_subprocess_exec(
            *(self._program, "-c", "-f", str(file)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _nothing, complaint = await tried.communicate()
        if tried.returncode:
            raise HaproxyRefusedError(complaint.decode(errors="replace").strip())

    async def _until_another_worker(self, before: str) -> None:
        async with asyncio.timeout(_SECONDS):
            for _attempt in count():
                if await self.worker() not in {"", before}:
                    return
                await asyncio.sleep(_PAUSE_SECONDS)

    async def worker(self) -> str:
        """Return the number of the process that works now; empty when none answers.

        Raises ``HaproxyRefusedError`` when the master has ended.
        """
        if self._master is None or self._master.returncode is not None:
            message = "haproxy has ended"
            raise HaproxyRefusedError(message)
        try:
            found = _PID.search(await self.ask("show info"))
        except OSError:
            return ""
        return found[1] if found else ""

    async def tell(self, commands: Sequence[str]) -> None:
        """Have commands done. Raises ``HaproxyRefusedError`` for what is not."""
        for begin in range(0, len(commands), _AT_ONCE):
            answers = await self.ask("; ".join(commands[begin : begin + _AT_ONCE]))
            wrong = [line for line in answers.splitlines() if line and not _is_fine(line)]
            if wrong:
                raise HaproxyRefusedError(wrong[0])

    async def ask(self, command: str) -> str:
        """Return the answer to a command."""
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_unix_connection(self._files.commands)
            try:
                writer.write(f"{command}\n".encode())
                return (await reader.read()).decode(errors="replace")
            finally:
                writer.close()

    async def in_flight(self) -> dict[int, int]:
        """Return how many requests each slot has."""
        head, *rows = (await self.ask(f"show stat {BACKEND} 4 -1")).splitlines()
        names = head.removeprefix("# ").split(",")
        servers = [dict(zip(names, row.split(","), strict=False)) for row in rows if row]
        return {int(one["svname"].removeprefix("slot")): int(one["scur"]) for one in servers}

    async def stop(self) -> None:
        """Let what is under way end, for a moment, and stop."""
        if self._master is None or self._master.returncode is not None:
            return
        self._master.send_signal(signal.SIGUSR1)
        try:
            async with asyncio.timeout(_SECONDS):
                await self._master.wait()
        except TimeoutError:
            self._master.terminate()
            await self._master.wait()
        log("haproxy_stopped")


def _is_fine(line: str) -> bool:
    return line.startswith(_FINE)
