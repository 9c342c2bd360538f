"""TLS at the balancer's door: which ciphers, and certificates that are renewed while it serves."""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lb.data.fleet import log

# How often the file is looked at: who renews a certificate does so weeks before it ends.
EVERY_SECONDS: Final = 1.0
HANDSHAKE_SECONDS: Final = 5.0
# Forward secrecy and authenticated encryption alone; all of TLS 1.3 is that.
CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED.
_OUT_OF_TIME: Final = frozenset({9, 10})
HSTS: Final = b"Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one state of a file from the next."""

    changed: int
    inode: int
    length: int


class Door:
    """What connections are greeted with. Those that are open stay when the certificate changes."""

    def __init__(self, certificate: Path) -> None:
        """Read the certificates, then the key, of a PEM file.

        Raises:
            OSError: it cannot be read, is no certificate with its key, or has expired.
        """
        self._file = certificate
        self._stamp = stamp_of(certificate)
        self.context = _context(certificate)

    async def keep_fresh(self) -> None:
        """Take the file anew, for ever, when it has changed and is whole."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            self._look()

    def _look(self) -> None:
        try:
            stamp = stamp_of(self._file)
            if stamp == self._stamp:
                return
            self._stamp = stamp
            # Tried apart: half a file must not be half taken.
            _context(self._file)
            self.context.load_cert_chain(self._file)
        except OSError as error:
            log("certificate_refused", why=str(error))
        else:
            log("certificate_taken", file=str(self._file))


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.load_cert_chain(certificate)
    _refuse_expired(context, certificate)
    return context


def _refuse_expired(context: ssl.SSLContext, certificate: Path) -> None:
    """Show the certificate to a client that trusts it, in memory. Raises ``OSError``."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    trusting.load_verify_locations(certificate)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    try:
        for side in (client, server, client):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    except ssl.SSLCertVerificationError as error:
        if error.verify_code in _OUT_OF_TIME:
            raise OSError(error.verify_message) from None


def stamp_of(file: Path) -> Stamp:
    """Return what changes when a file does. Raises ``OSError``."""
    found = file.stat()
    return Stamp(found.st_mtime_ns, found.st_ino, found.st_size)
