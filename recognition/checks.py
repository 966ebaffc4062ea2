"""System checks: faults of an installation that are better told at start than met by a visitor.

Their ids are permanent: E001 the demanded runtime is missing, E002 two builds of OpenCV, E003 the cache
directory cannot be written.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register

from recognition import conf
from recognition.vision.runtimes import choice

OPENCV_BUILDS = ("opencv-python", "opencv-contrib-python", "opencv-python-headless", "opencv-contrib-python-headless")


@register(Tags.compatibility)
def check_runtime(**_: Any) -> Sequence[CheckMessage]:
    """E001: FACEWEB_RUNTIME names a runtime that is not installed."""
    demanded = conf.runtime()
    if demanded == "auto" or choice.installed(demanded):
        return []
    way = "Install a build of onnxruntime with it" if demanded in choice.ACCELERATORS else "Run `make setup`"
    return [
        Error(
            f"FACEWEB_RUNTIME asks for {demanded}, which is not installed.",
            hint=f"{way}, or set FACEWEB_RUNTIME=auto.",
            id="recognition.E001",
        )
    ]


@register(Tags.compatibility)
def check_opencv(**_: Any) -> Sequence[CheckMessage]:
    """E002: two builds of OpenCV overwrite each other's files, and the wrong one wins."""
    found = [name for name in OPENCV_BUILDS if _is_installed(name)]
    if len(found) < 2:
        return []
    return [
        Error(
            f"Several builds of OpenCV are installed: {', '.join(found)}.",
            hint="Run `make setup`, which installs opencv-python-headless alone.",
            id="recognition.E002",
        )
    ]


@register(Tags.files)
def check_cache_dir(**_: Any) -> Sequence[CheckMessage]:
    """E003: prepared models have no place."""
    folder = conf.cache_dir()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if os.access(existing, os.W_OK):
        return []
    return [
        Error(
            f"The cache directory {folder} cannot be written.",
            hint="Set FACEWEB_CACHE_DIR to a directory that this user may write.",
            id="recognition.E003",
        )
    ]


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
