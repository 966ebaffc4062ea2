from __future__ import annotations

from pathlib import Path

from faceweb import locks


def test_many_share_and_one_excludes(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locks.FileLock(path) as one, locks.FileLock(path) as other, locks.FileLock(path) as third:
        one.take_shared()
        other.take_shared()
        assert not third.try_exclusive()
        one.release()
        assert not third.try_exclusive()
        other.release()
        assert third.try_exclusive()


def test_leaving_the_block_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locks.FileLock(path) as one, locks.FileLock(path) as other:
        one.take_exclusive()
        assert not other.try_exclusive()
    with locks.FileLock(path) as other:
        assert other.try_exclusive()
