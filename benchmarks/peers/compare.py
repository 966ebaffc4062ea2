"""Runs this product and its peers on the same frames and the same images, and prints one table.

    .venv/bin/python -m benchmarks.peers.compare RESULTS

makes an environment for each peer below RESULTS (uv, from the package registry), and keeps there what was measured, so
that a run that was stopped goes on. FACEWEB_SHARED_DATA names the shared data.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent

CAMERAS = 8
FMRS = (1e-4, 1e-5)


@dataclasses.dataclass(frozen=True, slots=True)
class Peer:
    """What is measured.

    Args:
        name: in the table.
        module: beside this file.
        requirements: beside this file; None runs in the environment of the product.
        by_distance: whether its vectors are compared by Euclidean distance instead of by angle.
    """

    name: str
    module: str
    requirements: str | None
    by_distance: bool = False


PEERS = (
    Peer("faceweb", "faceweb_peer", None),
    Peer("InsightFace FaceAnalysis, scrfd_mbf", "insightface_peer", "insightface.txt"),
    Peer("face_recognition (dlib)", "face_recognition_peer", "face_recognition.txt", by_distance=True),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """What was measured of a peer.

    Args:
        name: of the peer.
        not_found: images without a face.
        accuracy: share of the test pairs judged right at the threshold chosen on the train pairs.
        tmrs: true match rate over all pairs of the images at each of `FMRS`.
        frame_ms_median: of one frame with one face, alone on the machine.
        frame_ms_p95: likewise.
        fps: frames a second of eight cameras, by one process or by one for each core.
        memory_mb: of these processes together.
    """

    name: str
    not_found: int
    accuracy: float
    tmrs: tuple[float, ...]
    frame_ms_median: float
    frame_ms_p95: float
    fps: float
    memory_mb: float


def main() -> None:
    """Measures whatever is not yet measured and prints the table."""
    results = Path(sys.argv[1]).resolve()
    results.mkdir(parents=True, exist_ok=True)
    data = Path(os.environ["FACEWEB_SHARED_DATA"]).resolve() / "lfw-view1"
    wanted = _write_images(results / "images.txt", data)
    _write_frames(results / "frames", data)
    rows = []
    for peer in PEERS:
        result = results / peer.module
        if not result.with_suffix(".json").exists():
            print(f"Measuring {peer.name} ...", file=sys.stderr)
            inputs = [str(results / "images.txt"), str(results / "frames"), str(result)]
            environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
            command = [_python(peer, results), "-m", f"benchmarks.peers.{peer.module}", *inputs]
            subprocess.run(command, check=True, cwd=results, env=environment)
        rows.append(_row(peer, result, wanted, data))
    (results / "table.json").write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=1))
    print(as_table(rows))


def _write_images(listing: Path, data: Path) -> list[str]:
    """The images of both pair files, as NAME/NAME_0001.jpg, and a file of their paths in that order."""
    from recognition.evaluation import lfw_protocol

    images = {
        image
        for name in ("pairsDevTrain.txt", "pairsDevTest.txt")
        for image in lfw_protocol.parse((data / name).read_text()).images()
    }
    wanted = [image.path for image in sorted(images)]
    listing.write_text("".join(f"{data / 'images' / path}\n" for path in wanted))
    return wanted


def _write_frames(folder: Path, data: Path) -> None:
    """What cameras see in `faceweb bench live`, one person before each."""
    from recognition.bench import recordings
    from recognition.vision import images

    if folder.exists():
        return
    people = sorted(path for path in (data / "images").iterdir() if path.is_dir())[:CAMERAS]
    for number, person in enumerate(people):
        portrait = images.decode(min(person.glob("*.jpg")).read_bytes())
        camera = folder / f"camera-{number}"
        camera.mkdir(parents=True)
        for index, frame in enumerate(recordings.record(portrait, number)):
            (camera / f"{index:04d}.jpg").write_bytes(frame)


def _python(peer: Peer, results: Path) -> str:
    if peer.requirements is None:
        return sys.executable
    environment = results / f"env-{peer.module}"
    python = str(environment / "bin" / "python")
    uv = str(Path(sys.executable).with_name("uv"))
    if not environment.exists():
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
        wanted = ["-r", str(HERE / peer.requirements), "--overrides", str(HERE / "overrides.txt")]
        subprocess.run([uv, "pip", "install", "--python", python, *wanted], check=True)
    return python


def _row(peer: Peer, result: Path, wanted: Sequence[str], data: Path) -> Row:
    from recognition.evaluation import error_rates, lfw_protocol
    from recognition.evaluation.lfw_protocol import ScoredPairs

    times = json.loads(result.with_suffix(".json").read_text())
    kept = np.load(result.with_suffix(".npz"))
    scores = scores_of(kept["vectors"], kept["found"], by_distance=peer.by_distance)
    place = {path: index for index, path in enumerate(wanted)}

    def scored(name: str) -> ScoredPairs:
        pairs = lfw_protocol.parse((data / name).read_text()).pairs
        similarities = [scores[place[pair.first.path], place[pair.second.path]] for pair in pairs]
        return ScoredPairs(np.array(similarities, np.float32), np.array([pair.mated for pair in pairs]))

    people = np.unique([path.split("/")[0] for path in wanted], return_inverse=True)[1]
    rows, columns = np.triu_indices(len(wanted), k=1)
    same = people[rows] == people[columns]
    every = scores[rows, columns]
    thresholds = [error_rates.threshold_at_fmr(every[~same], fmr) for fmr in FMRS]
    return Row(
        name=peer.name,
        not_found=int(np.count_nonzero(~kept["found"])),
        accuracy=lfw_protocol.trained_accuracy(scored("pairsDevTrain.txt"), scored("pairsDevTest.txt")).mean,
        tmrs=tuple(error_rates.tmr(every[same], threshold) for threshold in thresholds),
        **times,
    )


def scores_of(vectors: NDArray[np.float32], found: NDArray[np.bool_], *, by_distance: bool) -> NDArray[np.float32]:
    """How alike every image is to every other; below any other score where no face was found.

    Returns:
        (n, n) float32: the cosine, or minus the squared distance, which puts pairs into the same order as the distance.
    """
    scores = vectors @ vectors.T
    if by_distance:
        squares = (vectors**2).sum(axis=1)
        scores = 2 * scores - squares[:, None] - squares[None, :]
    lowest = np.float32(scores.min() - 1)
    scores[~found] = lowest
    scores[:, ~found] = lowest
    return np.asarray(scores, np.float32)


def as_table(rows: Sequence[Row]) -> str:
    """The rows in Markdown."""
    rates = " | ".join(f"TMR at {fmr:g}" for fmr in FMRS)
    lines = [
        f"| | no face found | accuracy | {rates} | ms a frame (p95) | frames/s, {CAMERAS} cameras | memory, MB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row.name} | {row.not_found} | {row.accuracy:.4f} | {' | '.join(f'{tmr:.4f}' for tmr in row.tmrs)} "
        f"| {row.frame_ms_median:.1f} ({row.frame_ms_p95:.1f}) | {row.fps:.1f} | {row.memory_mb:.0f} |"
        for row in rows
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
