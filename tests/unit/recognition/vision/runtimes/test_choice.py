from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import numpy as np
import pytest

from recognition.vision.errors import RuntimeUnavailable
from recognition.vision.interfaces import InferenceSession
from recognition.vision.runtimes import choice
from recognition.vision.runtimes.choice import MEASURED_RUNS, WARM_UP_RUNS, RuntimeName, RuntimeOptions
from tests.fakes import FakeSession

MODEL = Path("yunet.onnx")
EXAMPLE = np.zeros((1, 3, 8, 8), np.float32)


@dataclasses.dataclass
class Machine:
    """A machine with some runtimes; each run of one takes as long as it says on a clock of its own."""

    options: RuntimeOptions
    duration_s: dict[str, float] = dataclasses.field(default_factory=lambda: {"openvino": 0.001, "onnxruntime": 0.002})
    installed: tuple[str, ...] = ("openvino", "onnxruntime")
    version: str = "1.0"
    now_s: float = 0.0
    sessions: list[FakeSession] = dataclasses.field(default_factory=list)

    def session(
        self, name: RuntimeName | choice.Accelerator, _path: Path, _options: RuntimeOptions
    ) -> InferenceSession:
        def compute(batch: np.ndarray) -> tuple[np.ndarray, ...]:
            self.now_s += self.duration_s[name]
            return (batch,)

        self.sessions.append(FakeSession(f"{name} {self.version}", compute))
        return self.sessions[-1]

    def load(self, model: Path = MODEL, example: np.ndarray = EXAMPLE) -> str:
        self.sessions.clear()
        return choice.load(model, example, self.options).runtime

    @property
    def runs(self) -> int:
        return sum(session.runs for session in self.sessions)

    @property
    def notes(self) -> list[Path]:
        return sorted(self.options.cache_dir.glob("fastest-*.json"))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(RuntimeOptions("auto", threads=1, cache_dir=tmp_path / "cache"))
    monkeypatch.setattr(choice, "_session", machine.session)
    monkeypatch.setattr(choice, "installed", lambda name: name in machine.installed)
    monkeypatch.setattr(time, "perf_counter", lambda: machine.now_s)
    return machine


@pytest.mark.parametrize(
    ("installed", "demand", "missing"),
    [
        ((), "auto", "openvino or onnxruntime"),
        (("onnxruntime",), "openvino", "openvino"),
        (("openvino",), "onnxruntime", "onnxruntime"),
    ],
)
def test_a_runtime_that_is_not_installed_is_named_with_the_way_out(
    machine: Machine, installed: tuple[str, ...], demand: choice.Demand, missing: str
) -> None:
    machine.installed = installed
    machine.options = dataclasses.replace(machine.options, demand=demand)
    with pytest.raises(RuntimeUnavailable, match=rf"runtime {missing} is not installed\. .*FACEWEB_RUNTIME=auto"):
        machine.load()


@pytest.mark.parametrize("accelerator", choice.ACCELERATORS)
def test_an_accelerator_that_is_not_offered_is_named_with_the_way_out(
    machine: Machine, accelerator: choice.Accelerator
) -> None:
    machine.options = dataclasses.replace(machine.options, demand=accelerator)
    with pytest.raises(RuntimeUnavailable, match=rf"asks for {accelerator}, .* does not offer.* FACEWEB_RUNTIME=auto"):
        machine.load()


@pytest.mark.parametrize(
    ("installed", "demand", "expected"),
    [
        (("onnxruntime",), "auto", "onnxruntime 1.0"),  # the only one
        (("openvino", "onnxruntime"), "onnxruntime", "onnxruntime 1.0"),  # the one demanded, though slower
        (("openvino", "onnxruntime", "cuda"), "cuda", "cuda 1.0"),
        (("onnxruntime", "cuda"), "auto", "onnxruntime 1.0"),  # an accelerator is never used by itself
    ],
)
def test_where_there_is_no_choice_nothing_is_measured(
    machine: Machine, installed: tuple[str, ...], demand: choice.Demand, expected: str
) -> None:
    machine.installed = installed
    machine.options = dataclasses.replace(machine.options, demand=demand)
    assert machine.load() == expected
    assert machine.runs == 0
    assert machine.notes == []


@pytest.mark.parametrize(("slow", "fast"), [("openvino", "onnxruntime"), ("onnxruntime", "openvino")])
def test_the_faster_runtime_is_measured_once_and_remembered(machine: Machine, slow: str, fast: str) -> None:
    machine.duration_s = {slow: 0.005, fast: 0.001}
    assert machine.load() == f"{fast} 1.0"
    assert machine.runs == 2 * (WARM_UP_RUNS + MEASURED_RUNS)
    machine.duration_s = {slow: 0.001, fast: 0.005}  # remembered, though it would be another one now
    assert machine.load() == f"{fast} 1.0"
    assert machine.runs == 0


def test_a_note_says_what_was_measured(machine: Machine) -> None:
    machine.load()
    (note,) = machine.notes
    stored = json.loads(note.read_text())
    assert stored["fastest"] == "openvino"
    assert stored["best_ms"] == {"openvino": 1.0, "onnxruntime": 2.0}
    assert stored["model"] == MODEL.name


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", '{"fastest": "cuda"}', '{"fastest": null}', "\udcff"])
def test_a_damaged_note_is_measured_again_and_replaced(machine: Machine, content: str) -> None:
    machine.load()
    (note,) = machine.notes
    note.write_text(content, errors="surrogateescape")
    assert machine.load() == "openvino 1.0"
    assert machine.runs > 0
    assert machine.load() == "openvino 1.0"
    assert machine.runs == 0


@pytest.mark.parametrize("what", ["model", "shape", "version"])
def test_another_network_shape_or_version_is_measured_anew(machine: Machine, what: str) -> None:
    machine.load()
    if what == "version":
        machine.version = "2.0"
    model = Path("sface.onnx") if what == "model" else MODEL
    machine.load(model, np.zeros((2, 3, 8, 8), np.float32) if what == "shape" else EXAMPLE)
    assert machine.runs > 0
    assert len(machine.notes) == 2


class TestPrepared:
    def test_a_network_is_prepared_once_a_digest_and_version(self, tmp_path: Path) -> None:
        source = tmp_path / "net.onnx"
        source.write_bytes(b"weights")
        prepared: list[Path] = []

        def prepare(path: Path) -> bytes:
            prepared.append(path)
            return path.read_bytes() + b" folded"

        cache = tmp_path / "cache"
        keys = [("a" * 64, "1"), ("a" * 64, "1"), ("b" * 64, "1"), ("a" * 64, "2")]
        made = [choice.prepared(source, digest, version, prepare, cache) for digest, version in keys]
        assert made[0] == made[1]
        assert len(set(made)) == len(prepared) == 3
        assert made[0].read_bytes() == b"weights folded"

    def test_a_failed_preparation_leaves_nothing_behind(self, tmp_path: Path) -> None:
        def fail(_: Path) -> bytes:
            raise RuntimeError("no memory")

        with pytest.raises(RuntimeError):
            choice.prepared(tmp_path / "net.onnx", "a" * 64, "1", fail, tmp_path / "cache")
        assert not (tmp_path / "cache").exists()


class TestWriteAtomically:
    def test_replaces_a_file_and_leaves_no_other(self, tmp_path: Path) -> None:
        target = tmp_path / "new" / "note.json"
        choice.write_atomically(target, b"one")
        choice.write_atomically(target, b"two")
        assert [(path.name, path.read_bytes()) for path in target.parent.iterdir()] == [("note.json", b"two")]

    def test_keeps_the_old_file_when_writing_fails(self, tmp_path: Path) -> None:
        target = tmp_path / "note.json"
        target.mkdir()
        with pytest.raises(OSError, match="note"):
            choice.write_atomically(target, b"two")
        assert list(tmp_path.iterdir()) == [target]
