from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest

from faceweb import cli, postgres_process


@pytest.fixture(autouse=True)
def own_log_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what a command tells about logging end with its test."""
    monkeypatch.setenv("FACEWEB_LOG_LEVEL", "")


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("this command needs no database")

    monkeypatch.setattr(cli, "_prepare_database", refuse)


@pytest.mark.usefixtures("no_database")
@pytest.mark.parametrize("arguments", [["help"], ["--help"], ["--version"], ["version"], ["findstatic", "--help"]])
def test_a_command_that_needs_no_database_starts_none(arguments: list[str]) -> None:
    with contextlib.suppress(SystemExit):  # how argparse ends after help
        cli.run(arguments)


@pytest.mark.usefixtures("no_database")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_bundle_is_proved_without_a_database(options: list[str], tmp_path: Path) -> None:
    file = tmp_path / "bundle.json"
    file.write_text("{}")
    with pytest.raises(SystemExit) as end:
        cli.run(["audit", *options, "verify-bundle", str(file), "--key", "00" * 32])
    assert end.value.code == 1  # refused, and not for want of a database


def test_an_expected_failure_is_a_sentence_and_not_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise postgres_process.PostgresError("The disk is full.")

    monkeypatch.setattr(cli, "run", fail)
    monkeypatch.setattr(sys, "argv", ["faceweb", "doctor"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == "faceweb: The disk is full."


def test_where_nothing_runs_networks_a_command_that_does_says_where_to_run_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def miss(_: object) -> None:
        raise ModuleNotFoundError("No module named 'onnx'", name="onnx")

    monkeypatch.setattr(cli, "run", miss)
    with pytest.raises(SystemExit, match="onnx is not installed here, as on a web host"):
        cli.main()


def test_another_missing_module_is_a_mistake_and_shows_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def miss(_: object) -> None:
        raise ModuleNotFoundError("No module named 'other'", name="other")

    monkeypatch.setattr(cli, "run", miss)
    with pytest.raises(ModuleNotFoundError):
        cli.main()


def test_ctrl_c_ends_it_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "run", interrupt)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 130
