"""Calls to addresses that somebody gave the bank, made to real servers on this machine."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings

from core import calls
from core.clock import now
from tests.receiver import Receiver, Reply, receiving

NAME = "hooks.example"
Result = TypeVar("Result")


def send(url: str) -> calls.Answer:
    return calls.post(url, body=b"{}", headers={"webhook-id": "1"})


def failure_of(url: str) -> str:
    with pytest.raises(calls.CallFailed) as failed:
        send(url)
    return failed.value.code


def anew(work: Callable[[str], Result], url: str) -> Result:
    """Do it in a new thread, which reads anew whom to trust."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work, url).result()


class TestCall:
    def test_sends_the_body_and_returns_the_answer(self, receiver: Receiver) -> None:
        answer = calls.post(
            f"{receiver.address}/a?b=c%20d", body=b'{"x":1}', headers={"webhook-id": "7"}
        )
        assert answer == calls.Answer(status=200, excerpt="ok")
        (message,) = receiver.messages
        assert (message.path, message.body, message.id) == ("/a?b=c%20d", b'{"x":1}', "7")
        assert message.headers["Host"] == receiver.address.removeprefix("http://")

    def test_follows_no_redirect(self, receiver: Receiver) -> None:
        elsewhere = {"Location": f"{receiver.address}/elsewhere"}
        receiver.answering = lambda _message: Reply(status=307, headers=elsewhere)
        assert send(f"{receiver.address}/here").status == 307
        assert [message.path for message in receiver.messages] == ["/here"]

    def test_keeps_little_of_a_long_answer(self, receiver: Receiver) -> None:
        receiver.answering = lambda _message: Reply(status=500, body=b"\0" + b"x" * 1_000_000)
        assert send(receiver.address).excerpt == "\N{REPLACEMENT CHARACTER}" + "x" * 511

    def test_goes_past_the_proxies_of_the_environment(
        self, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        assert send(receiver.address).status == 200

    def test_fails_where_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        assert failure_of(f"http://127.0.0.1:{port}/") == "connection_failed"

    def test_fails_when_there_is_no_answer(self, receiver: Receiver) -> None:
        receiver.answering = lambda _message: Reply(status=None)
        assert failure_of(receiver.address) == "not_http"

    def test_fails_when_the_answer_is_no_http(self) -> None:
        with talker(b"SSH-2.0-OpenSSH_9.2\r\n\r\n") as address:
            assert failure_of(address) == "not_http"

    def test_ends_at_the_deadline_however_slowly_the_other_side_goes_on(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(calls, "WHOLE_SECONDS", 0.3)
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        with talker(*(bytes([one]) for one in answer), pause=0.04) as address:
            assert failure_of(address) == "timeout"

    def test_is_refused_at_the_connection_though_the_name_was_good_before(
        self, receiver: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.ALLOW_PRIVATE_ADDRESSES = False
        port = int(receiver.address.rpartition(":")[2])
        here = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_o: here)
        assert failure_of(f"http://{NAME}:{port}/") == "address_not_public"
        assert receiver.messages == []


@contextmanager
def talker(*words: bytes, pause: float = 0.0) -> Iterator[str]:
    """Serve whoever comes these words, one after the other, and then no more."""
    end = threading.Event()

    def talk() -> None:
        caller, _address = server.accept()
        with caller:
            for word in words:
                with suppress(OSError):
                    caller.sendall(word)
                end.wait(pause)
            end.wait(10)

    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as thread:
        talking = thread.submit(talk)
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        end.set()
        talking.result()


class TestTls:
    def test_is_checked_against_the_name_and_not_the_address(
        self, certified: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certified)
        with receiving(tls) as receiver:
            port = int(receiver.address.rpartition(":")[2])
            here = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_o: here)
            assert anew(send, f"https://{NAME}:{port}/").status == 200
            assert anew(failure_of, f"https://other.example:{port}/") == "tls_failed"
            assert anew(failure_of, f"https://127.0.0.1:{port}/") == "tls_failed"

    def test_of_an_unknown_authority_is_refused(self, certified: Path) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certified)
        with pytest.MonkeyPatch.context() as environment, receiving(tls) as receiver:
            environment.delenv("SSL_CERT_FILE")
            assert anew(failure_of, receiver.address) == "tls_failed"


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a certificate for ``NAME`` with its key, by an authority that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    at = now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(hours=1))
        .not_valid_after(at + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "authority.pem").write_bytes(public)
    (tmp_path / "server.pem").write_bytes(public + private)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return tmp_path / "server.pem"
