from __future__ import annotations

from pathlib import Path

import pytest

from faceweb import env


def test_an_unset_or_empty_variable_means_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACEWEB_WORKER_THREADS", raising=False)
    assert env.WORKER_THREADS.read() == 0
    monkeypatch.setenv("FACEWEB_WORKER_THREADS", "  ")
    assert env.WORKER_THREADS.read() == 0


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        (env.WORKER_THREADS, "4", 4),
        (env.HTTPS, "Yes", True),
        (env.HTTPS, "off", False),
        (env.RUNTIME, "OpenVINO", "openvino"),
        (env.HOSTS, " a.example , b.example,", ("a.example", "b.example")),
        (env.STATE_DIR, "/srv/state", Path("/srv/state")),
    ],
)
def test_a_value_is_parsed(
    monkeypatch: pytest.MonkeyPatch, variable: env.Variable[object], text: str, value: object
) -> None:
    monkeypatch.setenv(variable.name, text)
    assert variable.read() == value


@pytest.mark.parametrize(
    ("variable", "text", "expectation"),
    [
        (env.WORKER_THREADS, "-1", "expected a whole number, zero or more"),
        (env.WORKER_THREADS, "many", "expected a whole number, zero or more"),
        (env.HTTPS, "maybe", "expected 1 or 0"),
        (env.RUNTIME, "gpu", "expected one of auto, openvino, onnxruntime, cuda, tensorrt, coreml"),
    ],
)
def test_a_value_that_cannot_be_understood_is_refused_by_name_without_being_repeated(
    monkeypatch: pytest.MonkeyPatch, variable: env.Variable[object], text: str, expectation: str
) -> None:
    monkeypatch.setenv(variable.name, text)
    with pytest.raises(env.InvalidVariable) as raised:
        variable.read()
    assert str(raised.value) == f"{variable.name}: {expectation}"


def test_what_is_told_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEWEB_HOSTS", "")
    env.HOSTS.tell("a.example")
    assert env.HOSTS.read() == ("a.example",)


def test_every_variable_has_a_name_of_its_own_and_a_sentence() -> None:
    assert len({variable.name for variable in env.ALL}) == len(env.ALL)
    assert all(variable.meaning.endswith(".") for variable in env.ALL)
