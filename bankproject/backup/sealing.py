"""Files that only the holder of the bank's backup key can read, and nobody can change unnoticed.

CMS (RFC 5083) with AES-256-GCM around gzip, made by openssl for the certificate of the key, so that
whoever makes backups cannot read them, and whoever has key and openssl needs nothing of the bank's.
"""

import gzip
import os
import shutil
import subprocess
import zlib
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from bankproject.backup.failures import BackupFailed, bytes_in, cannot_write
from bankproject.runtime.home import write_private
from core.clock import now

_KEY_BITS: Final = 3072
_YEARS: Final = 50
_QUICKLY: Final = 1


def make_key(key: Path, certificate: Path) -> None:
    """Make a key that opens backups, and the certificate by which they are sealed.

    Raises:
        BackupFailed: one of the two is there already, or cannot be written.
    """
    for file in (key, certificate):
        if file.exists():
            message = f"{file} is there already; nothing could open any more what was sealed for it"
            raise BackupFailed(message)
    secret = rsa.generate_private_key(public_exponent=65_537, key_size=_KEY_BITS)
    try:
        write_private(key, _pem_of(secret))
        write_private(certificate, _certificate_of(secret))
    except OSError as error:
        raise cannot_write(Path(error.filename or key).parent, error) from error


def refuse_wrong_key(key: Path, certificate: Path) -> None:
    """Check that a key opens what was sealed by a certificate.

    Raises:
        BackupFailed: it does not, is none, or cannot be read.
    """
    try:
        secret = serialization.load_pem_private_key(bytes_in(key), password=None)
    except (ValueError, TypeError) as error:
        message = f"{key} is not the key that `backup configure` made"
        raise BackupFailed(message) from error
    try:
        sealed_for = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    except (OSError, ValueError) as error:
        message = f"{certificate} is missing or damaged; is this a folder of backups?"
        raise BackupFailed(message) from error
    if secret.public_key() != sealed_for:
        message = f"the key {key} does not open these backups; they were sealed for another one"
        raise BackupFailed(message)


def seal(data: bytes, file: Path, *, certificate: Path) -> str:
    """Write data compressed and encrypted, whole or not at all; return the file's SHA-256.

    Raises:
        BackupFailed: the folder cannot be written, or there is no certificate.
    """
    sealed = _openssl(
        *("-encrypt", "-binary", "-outform", "DER", "-aes-256-gcm"),
        *("-recip", str(certificate)),
        *("-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"),
        given=gzip.compress(data, _QUICKLY),
    )
    draft = file.with_name(f".{file.name}.new")
    try:
        with draft.open("wb") as out:
            out.write(sealed)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise cannot_write(file.parent, error) from error
    return sha256(sealed).hexdigest()


def unseal(file: Path, *, key: Path) -> bytes:
    """Return what was sealed.

    Raises:
        BackupFailed: the file is missing or damaged, or sealed for another key.
    """
    sealed = bytes_in(file)
    try:
        packed = _openssl(
            *("-decrypt", "-binary", "-inform", "DER", "-inkey", str(key)), given=sealed
        )
        return gzip.decompress(packed)
    except (BackupFailed, OSError, EOFError, zlib.error) as error:
        message = f"{file} is damaged, or sealed for another key"
        raise BackupFailed(message) from error


def _openssl(*words: str, given: bytes) -> bytes:
    program = shutil.which("openssl")
    if program is None:
        message = "openssl is not on this machine; backups are encrypted by it"
        raise BackupFailed(message)
    done = subprocess.run([program, "cms", *words], check=False, capture_output=True, input=given)
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        message = f"openssl does not work: {reason[0]}"
        raise BackupFailed(message)
    return done.stdout


def _pem_of(secret: rsa.RSAPrivateKey) -> str:
    return secret.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _certificate_of(secret: rsa.RSAPrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "The bank's backups")])
    today = now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today)
        .not_valid_after(today + timedelta(days=365 * _YEARS))
        .sign(secret, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
