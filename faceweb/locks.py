"""Locks between processes, held by the kernel: a process that dies in any way has let go of them."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Self


class FileLock:
    """An advisory lock on a file, shared by many or held by one (`flock`). Not inherited by child programs."""

    def __init__(self, path: Path) -> None:
        """Open the lock's file, without taking the lock."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take_shared(self) -> None:
        """Wait until nobody holds the lock alone, and hold it together with others."""
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def take_exclusive(self) -> None:
        """Wait until nobody else holds the lock, and hold it alone."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def try_exclusive(self) -> bool:
        """Hold the lock alone if nobody else holds it; say whether that worked."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Let go of the lock, keeping its file open."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the lock for good."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        """Return the lock, not yet taken."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the lock for good."""
        self.close()
