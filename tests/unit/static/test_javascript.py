"""Runs the unit tests of the pages' modules, which Node's own test runner reads."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
TESTS = sorted(path.name for path in Path(__file__).parent.glob("*.test.mjs"))


@pytest.fixture(scope="module")
def node() -> str:
    executable = shutil.which("node")
    if executable is None:
        pytest.skip("node is not installed: the unit tests of static/js need it")
    return executable


@pytest.fixture(scope="module")
def project_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The modules and their tests below a package.json that says what browsers assume: ES modules."""
    root = tmp_path_factory.mktemp("javascript")
    (root / "package.json").write_text('{"type": "module"}')
    for folder in ("static/js", "tests/unit/static"):
        shutil.copytree(PROJECT / folder, root / folder)
    return root


@pytest.mark.parametrize("name", TESTS)
def test_passes_in_node(name: str, node: str, project_copy: Path) -> None:
    run = subprocess.run(
        [node, "--test", f"tests/unit/static/{name}"],
        cwd=project_copy,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
