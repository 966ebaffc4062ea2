"""The benchmark with its real server; on the shipped faces, so that it is quick and runs anywhere."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import psutil
import pytest
from django.core.management import CommandError, call_command

from recognition.bench import audits, searches
from recognition.bench.audit import AuditBenchmark, PageTimes
from recognition.bench.search import MethodResult, SearchBenchmark
from tests import faces
from tests.processes import CommandLine, wait_until_gone

KEYS = {
    "streams",
    "camera_fps",
    "fps",
    "bare_fps",
    "ratio",
    "bare_p95_ms",
    "p50_ms",
    "p95_ms",
    "analysed_share",
    "dropped",
    "slowest_fps",
    "fastest_fps",
    "fairness",
    "embeddings",
    "bare_embeddings",
    "near_share",
    "runtime",
    "workers",
    "redis_commands_per_frame",
    "through_channels",
}


@pytest.fixture
def scratch(command_line: CommandLine, state_dir: Path) -> Path:
    """Where the benchmark puts its throwaway files."""
    folder = state_dir / "scratch"
    folder.mkdir()
    folder.chmod(0o711)  # as root, the database's OS user must pass through
    command_line.variables |= {"TMPDIR": str(folder), "FACEWEB_SHARED_DATA": str(state_dir / "absent")}
    return folder


def test_two_streams_are_measured_beside_the_bare_pipeline(command_line: CommandLine, scratch: Path) -> None:
    # The longer way where it can be gone; without workers the same happens in fewer processes.
    workers = ["--workers", "1"] if shutil.which("redis-server") else []
    status, output = command_line.run("bench", "live", "--streams", "2", "--seconds", "3", "--json", *workers)
    assert status == 0, output
    measured = json.loads(output.splitlines()[-1])
    assert measured.keys() == KEYS
    assert (measured["streams"], measured["camera_fps"]) == (2, None)
    assert measured["fps"] > 0
    assert measured["analysed_share"] <= 1
    assert 0 < measured["slowest_fps"] <= measured["fastest_fps"]
    assert measured["ratio"] == pytest.approx(measured["fps"] / measured["bare_fps"], abs=0.01)
    assert 0 < measured["p50_ms"] <= measured["p95_ms"]
    assert 0 < measured["fairness"] <= 1
    # Both people of each stream are new once, and three votes at least decide.
    assert measured["embeddings"] == measured["bare_embeddings"] >= 6
    assert (measured["workers"], measured["through_channels"]) == (len(workers) // 2, None)
    assert (measured["redis_commands_per_frame"] is None) == (not workers)
    assert list(scratch.iterdir()) == []


def test_a_soak_tells_what_is_held_after_sessions_came_and_went(command_line: CommandLine, scratch: Path) -> None:
    status, output = command_line.run("bench", "soak", "--minutes", "0.07", "--json")
    assert status == 0, output
    measured = json.loads(output.splitlines()[-1])
    assert measured["visits"] >= measured["sessions"] == 32
    assert measured["cut_off"] > 0
    assert measured["memory_mb"].keys() >= {"server", "recognition", "jobs", "database"}
    assert (measured["leaked_tasks"], measured["leaked_sockets"]) == (0, 0)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(("number", "said"), [(signal.SIGINT, "Round 1 of"), (signal.SIGTERM, "Starting the server")])
def test_interrupted_it_leaves_no_process_and_no_file(
    command_line: CommandLine, scratch: Path, number: signal.Signals, said: str
) -> None:
    bench = command_line.start("bench", "live", "--streams", "1", "--seconds", "60")
    bench.wait_for(said)
    below = psutil.Process(bench.pid).children(recursive=True)
    bench.send(number)
    assert bench.wait() != 0
    for process in below:
        wait_until_gone(process.pid)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--streams"),
        (["--streams", "0"], "expected a whole number from 1"),
        (["--streams", "1", "--seconds", "0"], "expected 1 to 3600 seconds"),
        (["--streams", "1", "--seconds", "nan"], "expected 1 to 3600 seconds"),
        (["--streams", "1", "--fps", "0"], "expected a divisor of 30"),
        (["--streams", "1", "--fps", "7"], "expected a divisor of 30"),
        (["--streams", "1", "--channels"], "add --workers"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("bench", "live", *arguments)


@pytest.mark.parametrize("minutes", ["0", "nan", "ten", "99999"])
def test_a_soak_of_no_time_or_of_years_is_refused(minutes: str) -> None:
    with pytest.raises(CommandError, match="minutes to a week"):
        call_command("bench", "soak", "--minutes", minutes)


def test_an_import_is_measured_beside_the_bare_pipeline(
    command_line: CommandLine, scratch: Path, tmp_path: Path
) -> None:
    for name in ("Ada", "Bob"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(faces.jpeg(faces.astronaut()))
    tmp_path.chmod(0o711)
    status, output = command_line.run("bench", "import", str(tmp_path), "--people", "2", "--json")
    assert status == 0, output
    measured = json.loads(output.splitlines()[-1])
    assert (measured["people"], measured["photos"], measured["enrolled"]) == (2, 2, 2)
    assert measured["ratio"] == pytest.approx(
        measured["photos_per_second"] / measured["bare_photos_per_second"], abs=0.01
    )
    assert measured["peak_mb"] > 0
    assert list(scratch.iterdir()) == []


def test_an_import_of_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no folder"):
        call_command("bench", "import", str(tmp_path / "nothing"))


def test_what_the_log_was_measured_at_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = (PageTimes("everything", 1_000_000, 12.34567, 10_000, 23.4),)
    found = AuditBenchmark(1_000_000, pages, 23.4, 20_000.0, 210.0, 0.5, 2268.0)
    monkeypatch.setattr(audits, "measure", lambda **_: found)
    call_command("bench", "audit")
    assert "12.3 ms,   23.4 ms (page 10,000): everything, 1,000,000 events" in capsys.readouterr().out
    call_command("bench", "audit", "--json")
    measured = json.loads(capsys.readouterr().out)
    assert measured["pages"][0] == {
        "name": "everything",
        "events": 1_000_000,
        "first_p95_ms": 12.346,
        "far_page": 10_000,
        "far_p95_ms": 23.4,
    }


def test_of_searches_the_chosen_method_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    methods = {
        "exact": MethodResult(200.0, 240.0, 1.0, 0.0, 0.0, 0.0),
        "sketches": MethodResult(9.0, 12.3456, 0.9975, 3.0, 21.0, 38.0),
    }
    monkeypatch.setattr(searches, "measure", lambda **_: SearchBenchmark(1_000_000, methods, "sketches"))
    call_command("bench", "search")
    printed = capsys.readouterr().out
    assert "sketches (chosen)" in printed
    assert "9.0 ms, 95 %    12.3 ms, recall 0.9975; built in 3.0 s, 21 MB on disk, 38 MB in memory" in printed
    call_command("bench", "search", "--json")
    measured = json.loads(capsys.readouterr().out)
    assert (measured["rows"], measured["chosen"]) == (1_000_000, "sketches")
    assert measured["methods"]["sketches"]["p95_ms"] == 12.346
    with pytest.raises(CommandError, match="there is no method 'magic'"):
        call_command("bench", "search", "--methods", "exact,magic")
