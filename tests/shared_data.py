"""Real faces; tests that need them skip, and say so, where their folder is absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from faceweb import env, state

FOLDER = state.shared_data_directory()
LFW_VIEW_1 = FOLDER / "lfw-view1"
LFW_IMAGES = LFW_VIEW_1 / "images"

needed = pytest.mark.skipif(
    not LFW_IMAGES.is_dir(), reason=f"the shared data is not in {FOLDER}; {env.SHARED_DATA.name} says where it is"
)


def lfw_photo(person: str, number: int) -> Path:
    """A photo of LFW by its published name and number."""
    return LFW_IMAGES / person / f"{person}_{number:04d}.jpg"
