"""An authority of the tests' own, and servers that show what it signed."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, kw_only=True)
class Files:
    """A certificate with its key in one file, and the authority's own certificate."""

    pem: Path
    authority: Path


class Authority:
    """Signs certificates with a key that nobody keeps."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "The tests' authority")])
        self._own = self._signed(self._name, self._key.public_key(), [], days=100)

    def sign(self, folder: Path, name: str, *, days: int) -> Files:
        """Write a certificate for a name, which ends after so many days, and 127.0.0.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        shown = self._signed(subject, key.public_key(), [name], days=days)
        files = Files(pem=folder / "server.pem", authority=folder / "authority.pem")
        files.authority.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        files.pem.write_bytes(shown.public_bytes(serialization.Encoding.PEM) + private)
        return files

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, names: list[str], *, days: int
    ) -> x509.Certificate:
        at = datetime.now(UTC)
        begins = at - timedelta(days=10)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(at + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )
        if names:
            known: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
            known += [x509.IPAddress(ip_address("127.0.0.1"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(known), critical=False)
        return builder.sign(self._key, hashes.SHA256())


@contextmanager
def serving(files: Files, *, as_postgres: bool = False) -> Iterator[int]:
    """Show a certificate to whoever comes, and yield the port; nothing else is said.

    PostgreSQL is asked first whether it speaks TLS.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.pem)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_show, args=(listening, context, as_postgres), daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def _show(listening: socket.socket, context: ssl.SSLContext, as_postgres: bool) -> None:  # noqa: FBT001  # a thread's
    while True:
        try:
            plain, _address = listening.accept()
        except OSError:
            return
        with plain, suppress(OSError):
            if as_postgres:
                plain.recv(8)
                plain.sendall(b"S")
            with context.wrap_socket(plain, server_side=True):
                pass
