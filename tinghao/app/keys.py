"""The secrets of a deployment: two small files beside the database, readable by nobody else.

One signs cookies and CSRF tokens. The other, an Ed25519 key, seals the journal's head at each
day's close; it is outside the database so that whoever can write there still cannot forge a seal.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SECRET_BYTES = 32


class KeyFileError(Exception):
    """A key file is missing, damaged or already there; the message says what to do."""


class JournalKey:
    """Signs and checks seals."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self._public = private.public_key()
        self.key_id = hashlib.sha256(self._public.public_bytes_raw()).hexdigest()[:16]

    def sign(self, message: bytes) -> str:
        """The signature, hexadecimal."""
        return self._private.sign(message).hex()

    def verify(self, message: bytes, signature: str) -> bool:
        """Whether the signature is of this key and message."""
        try:
            self._public.verify(bytes.fromhex(signature), message)
        except (InvalidSignature, ValueError):
            return False
        return True


def create_secret(path: Path) -> None:
    """Write a new secret; raises KeyFileError when there is one already."""
    _create(path, secrets.token_hex(SECRET_BYTES).encode() + b"\n")


def load_secret(path: Path) -> bytes:
    """The secret; raises KeyFileError."""
    try:
        secret = bytes.fromhex(_read(path).decode("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) < SECRET_BYTES:
        raise KeyFileError(f"{path} does not hold a secret of 64 hexadecimal digits.")
    return secret


def create_journal_key(path: Path) -> None:
    """Write a new key in PEM; raises KeyFileError when there is one already."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _create(path, pem)


def load_journal_key(path: Path) -> JournalKey:
    """The key; raises KeyFileError."""
    try:
        key = serialization.load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError):
        raise KeyFileError(f"{path} does not hold an Ed25519 key in PEM.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path} holds another kind of key than Ed25519.")
    return JournalKey(key)


def open_to_others(path: Path) -> bool:
    """Whether anybody but the file's owner may read or write it."""
    return path.stat().st_mode & 0o077 != 0


def _create(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileError(f"{path} exists already and is not replaced.") from None
    except OSError as error:
        raise KeyFileError(f"{path} cannot be written: {error.strerror}.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise KeyFileError(
            f"There is no key file {path}. `tinghao init` makes it; other servers of the same "
            "deployment need a copy."
        ) from None
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}.") from None
