"""What is written twice stays the same: documentation, locks, the container set-up."""

from __future__ import annotations

import re
import subprocess
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from faceweb import env
from tests.processes import PROJECT

LOCKS = ("requirements.lock", "requirements-test.lock", "requirements-web.lock")


def pins(lock: str) -> dict[str, set[Version]]:
    """Return the versions that a lock pins, by package; there may be one for each Python version."""
    found: dict[str, set[Version]] = {}
    for name, version in re.findall(r"^([\w.\[\],-]+)==([^\s;]+)", (PROJECT / lock).read_text(), re.MULTILINE):
        found.setdefault(canonicalize_name(name.partition("[")[0]), set()).add(Version(version))
    return found


def pyproject() -> dict[str, Any]:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text())


def test_every_variable_is_documented_with_its_meaning() -> None:
    documented = dict(
        re.findall(r"^\| `(\w+)` \| (.+) \|$", (PROJECT / "docs" / "settings.md").read_text(), re.MULTILINE)
    )
    assert documented == {variable.name: variable.meaning for variable in env.ALL}


def test_every_variable_is_in_the_example() -> None:
    example = (PROJECT / ".env.example").read_text()
    listed = set(re.findall(r"^# (\w+)(?:=| is set by)", example, re.MULTILINE))
    assert listed == {variable.name for variable in env.ALL} | {"POSTGRES_PASSWORD"}


def test_the_locks_satisfy_what_the_project_asks_for() -> None:
    project = pyproject()
    web = project["project"]["dependencies"]
    whole = [*web, *project["project"]["optional-dependencies"]["worker"]]
    asked = {
        "requirements-web.lock": web,
        "requirements.lock": whole,
        "requirements-test.lock": [*whole, *project["dependency-groups"]["test"]],
    }
    for lock, requirements in asked.items():
        pinned = pins(lock)
        for requirement in map(Requirement, requirements):
            versions = pinned.get(canonicalize_name(requirement.name), set())
            assert versions, f"{requirement.name} is missing from {lock}: run `make lock`"
            assert all(version in requirement.specifier for version in versions), f"{requirement} in {lock}"


def test_tests_run_with_the_products_own_versions() -> None:
    product, tests = pins(LOCKS[0]), pins(LOCKS[1])
    assert product == {name: tests.get(name) for name in product}
    web = pins(LOCKS[2])
    assert web == {name: product.get(name) for name in web}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_registry_and_pins_by_hash(lock: str) -> None:
    text = (PROJECT / lock).read_text()
    assert "://" not in text
    entries = re.split(r"\n(?=\S)", text.split("\n", 2)[2])
    assert all("--hash=sha256:" in entry for entry in entries if not entry.startswith("#"))


@pytest.mark.parametrize("lock", LOCKS)
def test_what_the_overrides_drop_stays_dropped(lock: str) -> None:
    assert pins(lock).keys().isdisjoint({"opencv-python", "openvino-telemetry"})


def test_one_version_of_uv_everywhere() -> None:
    version = re.search(r"^UV_VERSION := (\S+)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert version is not None
    assert f"uv=={version[1]}" in (PROJECT / "docker" / "Dockerfile").read_text()


@pytest.mark.parametrize("script", [".ci/run", "docker/entrypoint"])
def test_the_scripts_are_executable_and_parse(script: str) -> None:
    path = PROJECT / script
    assert path.stat().st_mode & 0o111
    shell = path.read_text().split("\n", 1)[0].removeprefix("#!").split()[-1]
    assert subprocess.run([shell, "-n", path], check=False).returncode == 0
