"""The key that signs backups, exports, anchors and dispute bundles, kept in the state directory and in no archive."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from faceweb import state


def key() -> Ed25519PrivateKey:
    """Return the key, made at the first call.

    Raises:
        StateError: What is kept is no such key.
    """
    content = state.kept_secret(_file(), make=_new)
    try:
        loaded = serialization.load_pem_private_key(content, password=None)
    except ValueError as error:
        raise state.StateError(f"{_file()} holds no key. Move it away; the next backup makes a new one.") from error
    if not isinstance(loaded, Ed25519PrivateKey):
        raise state.StateError(f"{_file()} holds another kind of key. Move it away; the next backup makes a new one.")
    return loaded


def kept() -> Ed25519PrivateKey | None:
    """Return the key if one was made before."""
    return key() if _file().exists() else None


def _file() -> Path:
    return state.directory() / "backup_key"


def _new() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
