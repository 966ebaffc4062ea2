"""`faceweb evaluate pairs`: how often two people match and one person does not, on labelled images."""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from recognition import conf
from recognition.evaluation import error_rates, lfw_protocol, verification
from recognition.evaluation.all_pairs import AllPairs
from recognition.evaluation.error_rates import NoScores
from recognition.evaluation.lfw_protocol import ImageName, InvalidPairsFile, PairsFile
from recognition.evaluation.verification import TrainPairsNeeded, TrainPairsNotUsed, Verification
from recognition.models import ModelPack
from recognition.services import packs
from recognition.vision import images, model_packs
from recognition.vision.errors import PackError, VisionError
from recognition.vision.model_packs import OperatingPoint
from recognition.vision.pipeline import FacePipeline
from recognition.vision.types import Embedding, Size
from recognition.worker import packs as worker_packs


class Command(BaseCommand):
    """Parses, embeds the images as enrolment does, has them judged, and renders the result.

    In an image the face nearest the centre is used, because LFW centres each image on the person
    that it is named after. An image without a face is not acquired: its mated pairs count as
    errors, its non-mated pairs as rightly rejected, both with similarity -1.
    """

    help = "Measure a model pack on labelled images."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares `evaluate pairs`."""
        pairs = parser.add_subparsers(dest="what", required=True).add_parser(
            "pairs",
            help="the protocol of Labeled Faces in the Wild",
            description="Judges pairs of images: the pairs of a file with folds by thresholds chosen on the other "
            "folds, those of a file without by a threshold chosen on the train pairs. In each image the face nearest "
            "the centre is used. An image without a face is not acquired: its mated pairs count as errors, its "
            "non-mated pairs as rightly rejected.",
        )
        pairs.add_argument(
            "--images", type=Path, required=True, metavar="DIR", help="images, as DIR/NAME/NAME_0001.jpg"
        )
        pairs.add_argument("--pairs", type=Path, required=True, metavar="FILE", help="pairs to judge")
        pairs.add_argument("--train-pairs", type=Path, metavar="FILE", help="pairs that the threshold is chosen on")
        pairs.add_argument(
            "--all-pairs",
            action="store_true",
            help="also compare every image that the files name with every other one, and measure the thresholds",
        )
        pairs.add_argument(
            "--pack", default=model_packs.DEFAULT_PACK_NAME, metavar="NAME", help="model pack (default: %(default)s)"
        )
        pairs.add_argument("--record", action="store_true", help="keep the measured thresholds with the pack")
        pairs.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measures and prints."""
        begin = time.monotonic()
        if options["record"] and not options["all_pairs"]:
            raise CommandError("--record needs --all-pairs: thresholds are measured on every pair of the images.")
        pairs = _read(options["pairs"])
        train_pairs = _read(options["train_pairs"]) if options["train_pairs"] else None
        try:
            loaded, stored = worker_packs.load_and_register(options["pack"])
        except PackError as error:
            raise CommandError(str(error)) from error
        wanted = sorted(pairs.images() | (train_pairs.images() if train_pairs else frozenset()))
        embeddings = _embedded(loaded.pipeline, options["images"], wanted, quiet=options["json"])
        try:
            measured = verification.measure(
                embeddings, pairs=pairs, train_pairs=train_pairs, with_all_pairs=options["all_pairs"]
            )
        except TrainPairsNeeded as error:
            raise CommandError(f"{options['pairs']} holds one set of pairs: choose with --train-pairs.") from error
        except TrainPairsNotUsed as error:
            raise CommandError(f"{options['pairs']} holds folds: leave --train-pairs out.") from error
        except NoScores as error:
            raise CommandError(str(error)) from error
        if options["record"] and measured.everything is not None:
            _record(stored, measured.everything, options["images"], measured.images)
        seconds = time.monotonic() - begin
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(measured, stored, seconds)))
        else:
            self.stdout.write(_as_table(measured, stored, seconds, runtime=loaded.pipeline.runtime))


def _read(path: Path) -> PairsFile:
    try:
        return lfw_protocol.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path}: expected a text file in UTF-8") from error
    except InvalidPairsFile as error:
        raise CommandError(f"{path}, {error}") from error


def _embedded(
    pipeline: FacePipeline, folder: Path, wanted: Sequence[ImageName], *, quiet: bool
) -> dict[ImageName, Embedding]:
    """The images in which a face was found, embedded."""
    missing = [name for name in wanted if not (folder / name.path).is_file()]
    if missing:
        raise CommandError(f"{len(missing)} of {len(wanted)} images are not in {folder}, such as {missing[0].path}.")
    # OpenCV's own threads would compete with ours for the same cores.
    cv2.setNumThreads(1)
    pipeline.warm_up()
    found: dict[ImageName, Embedding] = {}
    with concurrent.futures.ThreadPoolExecutor(conf.worker_threads()) as threads:
        results = threads.map(lambda name: _embeddings_of(pipeline, folder / name.path), wanted)
        progress = tqdm(results, total=len(wanted), unit="image", desc="Embedding", disable=quiet or None)
        try:
            for name, embeddings in zip(wanted, progress, strict=True):
                found.update((name, embedding) for embedding in embeddings)
        except VisionError as error:
            raise CommandError(str(error)) from error
        finally:
            threads.shutdown(cancel_futures=True)
    return found


def _embeddings_of(pipeline: FacePipeline, path: Path) -> tuple[Embedding, ...]:
    """The embedding of an image's central face; empty when there is no face."""
    try:
        image_bgr = images.decode(path.read_bytes())
    except VisionError as error:
        raise type(error)(f"{path}: {error}") from error
    faces = pipeline.find(image_bgr)
    if not faces:
        return ()
    central = lfw_protocol.central_face(faces, Size.of(image_bgr))
    return tuple(face.embedding for face in pipeline.embed(image_bgr, [central]))


def _record(pack: ModelPack, everything: AllPairs, folder: Path, count: int) -> None:
    weak = [f"{point.fmr:g}" for point in everything.points if not _is_supported(everything, point.fmr)]
    if weak:
        raise CommandError(
            f"Not recorded: {everything.non_mated:,} non-mated pairs are too few to measure a threshold at FMR "
            f"{' and '.join(weak)}; the rarest rate needs {error_rates.LEAST_FALSE_MATCHES} false matches."
        )
    packs.record_measurement(
        pack=pack,
        operating_points=tuple(
            OperatingPoint(fmr=point.fmr, threshold=round(point.threshold, 4), tmr=round(everything.tmr(point), 4))
            for point in everything.points
        ),
        measured_on=f"{folder.absolute().parent.name}/{folder.name}, all pairs of {count:,} images"[:200],
        actor=None,
    )


def _is_supported(everything: AllPairs, fmr: float) -> bool:
    return error_rates.is_supported(everything.non_mated, fmr)


def _rate(fmr: float) -> str:
    """A rate as a plain decimal: 0.00001, never 1e-05."""
    return f"{fmr:.10f}".rstrip("0")


def _as_json(measured: Verification, pack: ModelPack, seconds: float) -> dict[str, Any]:
    everything = measured.everything
    points = everything.points if everything else ()
    return {
        "accuracy": round(measured.accuracy.mean, 5),
        "std": round(measured.accuracy.std, 5),
        "pairs": measured.pairs,
        "not_acquired": measured.not_acquired,
        "threshold": round(measured.accuracy.threshold, 4),
        "tmr_at_fmr": {_rate(point.fmr): round(everything.tmr(point), 5) for point in points if everything},
        "thresholds_at_fmr": {_rate(point.fmr): round(point.threshold, 4) for point in points},
        "pack": {"name": pack.name, "digest": pack.digest},
        "images": measured.images,
        "mated": everything.mated if everything else None,
        "non_mated": everything.non_mated if everything else None,
        "seconds": round(seconds, 1),
    }


def _as_table(measured: Verification, pack: ModelPack, seconds: float, *, runtime: str) -> str:
    accuracy = measured.accuracy
    rows = [
        ("Model pack", f"{pack.name} ({pack.digest[:12]})"),
        ("Runtime", runtime),
        ("Pairs judged", f"{measured.pairs:,}"),
        ("Accuracy", f"{accuracy.mean:.4f}" + (f" (standard deviation {accuracy.std:.4f})" if accuracy.std else "")),
        ("Threshold (similarity)", f"{accuracy.threshold:.4f}"),
        ("Images", f"{measured.images:,}"),
        ("Images not acquired", f"{measured.not_acquired:,}"),
        ("Time", f"{seconds:.1f} s"),
    ]
    lines = [f"{name:<24}{value}" for name, value in rows]
    if measured.everything is not None:
        everything = measured.everything
        lines += [
            "",
            f"All pairs of the images: {everything.mated:,} mated, {everything.non_mated:,} non-mated",
            f"{'FMR':<12}{'Threshold':<12}{'TMR':<12}False matches",
        ]
        lines += [
            f"{_rate(point.fmr):<12}{point.threshold:<12.4f}{everything.tmr(point):<12.4f}{point.non_mated_matches:,}"
            + ("" if _is_supported(everything, point.fmr) else "  (too few pairs to tell)")
            for point in everything.points
        ]
    return "\n".join(lines)
