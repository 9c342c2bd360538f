"""Debian's HAProxy with the configuration for containers, before two backends of the tests."""

import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPSConnection
from pathlib import Path
from typing import Final
from uuid import uuid4

from bankproject.reference.sources import PROJECT
from bankproject.runtime.ports import first_free
from lb.haproxy.configuration import NAMING
from tests.certificates import Authority
from tests.integration.balancing.conftest import Answering, answering

SECONDS: Final = 30.0


class Deployed:
    """HAProxy as in containers, at a port of this machine."""

    def __init__(self, program: Path, folder: Path, backends: tuple[Answering, Answering]) -> None:
        """Write the configuration with the addresses of here."""
        self._program = program
        self._certificate = Authority().sign(folder, "localhost", days=90)
        self._port = first_free(23_400)
        self._file = folder / "haproxy.cfg"
        here = {
            "/run/secrets/lb.pem": str(self._certificate.pem),
            "bind :8443": f"bind 127.0.0.1:{self._port}",
            "bind 127.0.0.1:9090": f"bind 127.0.0.1:{first_free(self._port + 1)}",
            "172.30.77.11:8000": f"127.0.0.1:{backends[0].port}",
            "172.30.77.12:8000": f"127.0.0.1:{backends[1].port}",
        }
        text = (PROJECT / "deploy/haproxy/haproxy.cfg").read_text(encoding="utf-8")
        for there, place in here.items():
            assert there in text
            text = text.replace(there, place)
        self._file.write_text(text, encoding="utf-8")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it for the block."""
        process = subprocess.Popen([str(self._program), "-db", "-f", str(self._file)])
        try:
            yield
        finally:
            process.terminate()
            process.wait(SECONDS)

    def status(self, method: str, *, key: str | None = None) -> int:
        """Return the status of an answer; 0 where nobody listens yet. A body follows its head."""
        context = ssl.create_default_context(cafile=self._certificate.authority)
        connection = HTTPSConnection("localhost", self._port, timeout=SECONDS, context=context)
        body = b"amount" if method == "POST" else None
        try:
            connection.request(method, "/", body, {"Idempotency-Key": key} if key else {})
            return connection.getresponse().status
        except ConnectionRefusedError:
            return 0
        finally:
            connection.close()


def test_its_names_are_those_that_the_driver_gives() -> None:
    text = (PROJECT / "deploy/haproxy/haproxy.cfg").read_text(encoding="utf-8")
    assert all(line in text for line in NAMING)


def test_what_a_backend_gives_up_is_sent_again_where_it_may_be_sent_twice(
    haproxy: Path, tmp_path: Path
) -> None:
    with answering("a") as leaving, answering("b") as staying:
        deployed = Deployed(haproxy, tmp_path, (leaving, staying))
        with deployed.running():
            end = time.monotonic() + SECONDS
            while deployed.status("GET") != 200:
                assert time.monotonic() < end
                time.sleep(0.05)
            leaving.gives_up = True
            # Both in turns: half of them come to the one that leaves.
            assert {deployed.status("POST", key=str(uuid4())) for _ in range(8)} == {200}
            assert {deployed.status("GET") for _ in range(8)} == {200}
            assert {deployed.status("POST") for _ in range(8)} == {200, 502}
