"""Where the real faces are."""

from __future__ import annotations

from pathlib import Path

import pytest

from faceweb import env, state


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of shared data; tests that need it are skipped where it is absent."""
    folder = env.SHARED_DATA.read() or state.PROJECT_DIR.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the shared face images are not in {folder}; {env.SHARED_DATA.name} names another folder")
    return folder
