"""The real faces of `../shared/data`; tests that need them skip, and say so, where the folder is absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from faceweb import env

FOLDER = env.SHARED_DATA.read() or Path(__file__).resolve().parents[2] / "shared" / "data"
LFW_IMAGES = FOLDER / "lfw-view1" / "images"

needed = pytest.mark.skipif(
    not LFW_IMAGES.is_dir(), reason=f"the shared data is not in {FOLDER}; FACEWEB_SHARED_DATA says where it is"
)


def lfw_photo(person: str, number: int) -> Path:
    """A photo of LFW by its published name and number."""
    return LFW_IMAGES / person / f"{person}_{number:04d}.jpg"
