"""The state directory: where one installation keeps what it must remember between two starts.

    <state>/secret_key     signs sessions, 0600
    <state>/backup_key     signs backups, exports, anchors and bundles, 0600 (see `faceweb.signing`)
    <state>/erasures.jsonl who was erased, by number and time (see `recognition.services.erasure_ledger`)
    <state>/anchors.jsonl  heads of the sealed log (see `recognition.services.anchors`)
    <state>/up.json        what a running `up` listens on
    <state>/postgres/      the embedded database (see `faceweb.embedded`)
    <state>/cache/         prepared models
    <state>/tls/           the self-signed certificate

An ordinary user's state is `var/` in the checkout. Root's is outside it: PostgreSQL refuses to run as root, and the
other OS user it runs as cannot reach a checkout below a closed home directory.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from faceweb import env

PROJECT_DIR = Path(__file__).resolve().parent.parent
ROOT_STATE_DIR = Path("/var/lib/faceweb")
SECRET_KEY_BYTES = 64  # Django's `check --deploy` wants 50 characters or more

# Others may pass through (the database's OS user must), but not list.
STATE_DIR_MODE = 0o711


class StateError(RuntimeError):
    """The state cannot be kept where it should be."""


def directory() -> Path:
    """Return the state directory, created if need be.

    Raises:
        StateError: It cannot be created.
    """
    return created(location())


def location() -> Path:
    """Return where the state directory is or will be; nothing is created."""
    return env.STATE_DIR.read() or default_directory(project=PROJECT_DIR, uid=os.geteuid())


def default_directory(*, project: Path, uid: int) -> Path:
    """Return where the state of the checkout `project` is kept for the OS user `uid`."""
    if uid == 0:
        return ROOT_STATE_DIR / hashlib.sha256(bytes(project)).hexdigest()[:12]
    if (project / "pyproject.toml").exists():
        return project / "var"
    return Path("~/.local/state/faceweb").expanduser()  # installed as a package: there is no checkout


def cache_directory() -> Path:
    """Return where prepared models are kept, created if need be."""
    return created(env.CACHE_DIR.read() or directory() / "cache", mode=0o755)


def shared_data_directory() -> Path:
    """Return where tests and benchmarks look for face images; it is not there on most machines."""
    return env.SHARED_DATA.read() or PROJECT_DIR.parent / "shared" / "data"


def secret_key() -> str:
    """Return the key that signs sessions: the one of the environment, else a generated one that is kept."""
    return env.SECRET_KEY.read() or kept_secret(secret_key_file(), make=_new_secret).decode().strip()


def secret_key_file() -> Path:
    """Return where a generated key that signs sessions is kept."""
    return directory() / "secret_key"


def created(path: Path, mode: int = STATE_DIR_MODE) -> Path:
    """Return `path` as an absolute directory, creating it with `mode`; an existing one is left as it is."""
    path = path.absolute()
    if not path.is_dir():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(mode=mode)
            path.chmod(mode)  # whatever the umask took away
        except OSError as error:
            if path.is_dir():  # another process was faster
                return path
            raise StateError(
                f"Cannot create {path}: {error.strerror}. "
                f"Set {env.STATE_DIR.name} to a directory that you may write to."
            ) from error
    return path


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, so that nobody ever sees it half-written."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)


def kept_secret(path: Path, *, make: Callable[[], bytes]) -> bytes:
    """Return what a private file holds; made at the first call."""
    if not path.exists():
        candidate = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        write_private(candidate, make())
        try:
            # A link appears whole or not at all and never replaces: of two first starts, one key wins for both.
            os.link(candidate, path)
        except FileExistsError:
            pass
        finally:
            candidate.unlink()
    return path.read_bytes()


def _new_secret() -> bytes:
    return secrets.token_urlsafe(SECRET_KEY_BYTES).encode()
