"""Rules of the house that import-linter (`make check`) does not know."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

import pytest

from recognition import services

PROJECT = Path(__file__).resolve().parent.parent
SOURCES = sorted(path for package in ("faceweb", "recognition") for path in (PROJECT / package).rglob("*.py"))


def modules_that_read_the_environment() -> set[str]:
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            of_os = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
            if of_os and node.attr in {"environ", "environb", "getenv", "putenv"}:  # type: ignore[attr-defined]
                found.add(str(path.relative_to(PROJECT)))
            if isinstance(node, ast.ImportFrom) and node.module == "os":
                assert not {alias.name for alias in node.names} & {"environ", "getenv"}, path
    return found


def test_only_one_module_reads_the_environment() -> None:
    assert modules_that_read_the_environment() == {"faceweb/env.py"}


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "misc"])
def test_no_module_is_named_for_nothing(name: str) -> None:
    assert not [path for path in SOURCES if name in (path.stem, path.parent.name)]


def test_packages_hold_a_docstring_only() -> None:
    allowed = {"recognition/models/__init__.py", "recognition/admin/__init__.py"}
    for path in SOURCES:
        if path.name != "__init__.py" or "migrations" in path.parts:
            continue
        if str(path.relative_to(PROJECT)) in allowed:
            continue
        body = ast.parse(path.read_text()).body
        assert len(body) == 1, path
        assert ast.get_docstring(ast.Module(body, [])), path


def public_functions_of_services() -> Iterator[tuple[str, FunctionType]]:
    for module in pkgutil.iter_modules(services.__path__):
        loaded = importlib.import_module(f"{services.__name__}.{module.name}")
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            if function.__module__ == loaded.__name__ and not name.startswith("_"):
                yield f"{module.name}.{name}", function


@pytest.mark.parametrize(
    ("name", "function"), [pytest.param(*found, id=found[0]) for found in public_functions_of_services()]
)
def test_public_functions_of_services_are_typed_and_take_several_things_by_name(
    name: str, function: FunctionType
) -> None:
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(parameter.annotation is not inspect.Parameter.empty for parameter in parameters)
    writes = "actor" in signature.parameters
    if len(parameters) > 1 or writes:
        assert {parameter.kind for parameter in parameters} == {inspect.Parameter.KEYWORD_ONLY}
