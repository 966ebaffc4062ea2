"""What `faceweb train head` does: embed, part the people, fit, judge, write the pack."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import CommandError
from tqdm import tqdm

from recognition import conf
from recognition.evaluation import all_pairs, error_rates, verification
from recognition.evaluation.error_rates import NoScores
from recognition.evaluation.lfw_protocol import ImageName
from recognition.management import evaluating
from recognition.management.base import FAILED
from recognition.training import export, judging, splits
from recognition.training.head import Head
from recognition.training.images import Images
from recognition.training.judging import Judgement
from recognition.training.splits import TooFewPeople
from recognition.vision import head_packs, model_packs
from recognition.vision.errors import PackError
from recognition.vision.head_packs import HeadManifest
from recognition.vision.model_packs import OperatingPoint
from recognition.vision.types import Embedding
from recognition.worker import packs as worker_packs

NEEDED = ("torch", "pytorch_metric_learning")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    evaluating.add_images(parser)
    parser.add_argument(
        "--pairs", type=Path, metavar="FILE", help="learn only from people that this file of pairs names"
    )
    parser.add_argument(
        "--test-pairs",
        type=Path,
        metavar="FILE",
        help="tell the result on the people of this file, who are not learned from",
    )
    parser.add_argument(
        "--pack", default=model_packs.DEFAULT_PACK_NAME, metavar="NAME", help="whose vectors (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the pack (default: among the model packs)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="parts people and draws batches (default: 0)")


def run(options: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Trains.

    Returns:
        The result for --json, and in words.

    Raises:
        CommandError: when it cannot be done; the text says why.
    """
    begin = time.monotonic()
    _require_installed()
    # Imported here, because it needs PyTorch.
    from recognition.training import fitting

    learnable, test = _people(options)
    try:
        loaded, stored = worker_packs.load_and_register(options["pack"])
        wanted = sorted(learnable | test)
        embeddings = evaluating.embedded(loaded.pipeline, options["images"], wanted, quiet=options["json"])
        parts = splits.by_person((image.person for image in learnable & embeddings.keys()), seed=options["seed"])
        learning, stopping, validation = (
            _images_of(embeddings, people) for people in (parts.learning, parts.stopping, parts.validation)
        )
        with tqdm(desc="Fitting", unit="pass", disable=options["json"] or None) as bar:
            fitted = fitting.fitted(learning.of_several(), stopping, fitting.Plan(seed=options["seed"]), _shown(bar))
        judgement = _judged(fitted.head, validation)
        tested = _judged(fitted.head, _images_of(embeddings, {image.person for image in test})) if test else None
        unseen = _images_of(embeddings, {image.person for image in (learnable | test)} - parts.learning)
        points = _operating_points(fitted.head, unseen)
    except (PackError, NoScores, TooFewPeople) as error:
        raise CommandError(str(error), returncode=FAILED) from error
    content = export.onnx_of(fitted.head)
    manifest = HeadManifest(
        base=loaded.pack.location or loaded.pack.name,
        base_digest=loaded.pack.digest(),
        sha256=head_packs.sha256(content),
        is_better=judgement.is_better,
        operating_points=points,
        measured_on=f"{options['images'].folder.absolute().name}, all pairs of {len(unseen.people):,} images not "
        "learned from",
    )
    folder = options["out"] or conf.model_dir() / f"head-{manifest.sha256[:12]}"
    try:
        head_packs.write(folder, content, manifest)
    except OSError as error:
        raise CommandError(f"{error.filename} cannot be written: {error.strerror}.", returncode=FAILED) from error
    result = Trained(
        base=f"{stored.name} ({stored.digest[:12]})",
        folder=folder,
        parts={name: len(people) for name, people in dataclasses.asdict(parts).items()},
        images=len(learning.of_several().people),
        best_pass=fitted.best_pass,
        passes=fitted.passes,
        validation=judgement,
        tested=tested,
        points=points,
        seconds=time.monotonic() - begin,
    )
    return result.as_json(), result.words()


def _require_installed() -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise CommandError(
            f"Training needs {' and '.join(missing)}, which faceweb itself does without. Make an environment for it "
            "with `make setup-train`, then run .venv-train/bin/faceweb train head ...",
            returncode=FAILED,
        )


def _people(options: Mapping[str, Any]) -> tuple[frozenset[ImageName], frozenset[ImageName]]:
    """The images of the people to learn from, and of those to tell the result on."""
    here = options["images"].found()
    named, test = (
        {image.person for image in evaluating.read_pairs(options[name]).images()} if options[name] else None
        for name in ("pairs", "test_pairs")
    )
    learnable = named if named is not None else {image.person for image in here} - (test or set())
    both = learnable & (test or set())
    if both:
        raise CommandError(
            f"{len(both)} people are in both files of pairs, such as {min(both)}: a result on people who were learned "
            "from says nothing.",
            returncode=FAILED,
        )
    return (
        frozenset(image for image in here if image.person in learnable),
        frozenset(image for image in here if image.person in (test or set())),
    )


def _images_of(embeddings: Mapping[ImageName, Embedding], people: Iterable[str]) -> Images:
    wanted = set(people)
    names = sorted(image for image in embeddings if image.person in wanted)
    if not names:
        raise NoScores("expected images of the people, but no face was found in any")
    _, numbers = np.unique([image.person for image in names], return_inverse=True)
    return Images(np.stack([embeddings[image].vector for image in names]), numbers.astype(np.int64))


def _judged(head: Head, images: Images) -> Judgement:
    return judging.judged(images.vectors, head.projected(images.vectors), images.people)


def _operating_points(head: Head, unseen: Images) -> tuple[OperatingPoint, ...]:
    """Thresholds over all pairs of images that were not learned from; none where these cannot tell all of them."""
    compared = all_pairs.compare(head.projected(unseen.vectors), unseen.people, fmrs=verification.FMRS)
    if not all(error_rates.is_supported(compared.non_mated, fmr) for fmr in verification.FMRS):
        return ()
    return tuple(
        OperatingPoint(fmr=point.fmr, threshold=round(point.threshold, 4), tmr=round(compared.tmr(point), 4))
        for point in compared.points
    )


def _shown(bar: tqdm[Any]) -> Callable[[int, float], None]:
    def told(_number: int, loss: float) -> None:
        bar.set_postfix_str(f"loss {loss:.6f}")
        bar.update()

    return told


@dataclasses.dataclass(frozen=True, slots=True)
class Trained:
    """What came of a training.

    Args:
        base: the pack whose vectors were learned on, with the beginning of its digest.
        folder: of the new pack.
        parts: how many people were learned from, said when to stop, and judged.
        images: learned from.
        best_pass: the pass that was taken; 0 for the head that changes nothing.
        passes: how many there were.
        validation: on people of neither other part; decides whether the head is better.
        tested: on the test people, where there are some.
        points: measured thresholds.
        seconds: that it took.
    """

    base: str
    folder: Path
    parts: Mapping[str, int]
    images: int
    best_pass: int
    passes: int
    validation: Judgement
    tested: Judgement | None
    points: tuple[OperatingPoint, ...]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        return {
            "base": self.base,
            "folder": str(self.folder),
            "people": dict(self.parts),
            "images_learned_from": self.images,
            "best_pass": self.best_pass,
            "passes": self.passes,
            "is_better": self.validation.is_better,
            "validation": dataclasses.asdict(self.validation),
            "test": dataclasses.asdict(self.tested) if self.tested else None,
            "operating_points": [dataclasses.asdict(point) for point in self.points],
            "seconds": round(self.seconds, 1),
        }

    def words(self) -> str:
        """Tables for people."""
        parts = self.parts
        lines = [
            f"{'Base':<24}{self.base}",
            f"{'People learned from':<24}{parts['learning']:,}, {self.images:,} images of those with several",
            f"{'People that stop it':<24}{parts['stopping']:,}",
            f"{'People that judge it':<24}{parts['validation']:,}",
            f"{'Best pass':<24}{self.best_pass} of {self.passes}",
            f"{'Time':<24}{self.seconds:.1f} s",
            "",
            *_table("On the people that judge it", self.validation),
        ]
        if self.tested is not None:
            lines += ["", *_table("On the test people", self.tested)]
        lines += ["", f"Written to {self.folder}."]
        if not self.validation.is_better:
            lines.append("It is not better on the people that judge it, so `faceweb models use` refuses it.")
        elif not self.points:
            lines.append(
                "It is better. There are too few pairs to measure its thresholds; measure them with more images: "
                f"faceweb evaluate pairs ... --all-pairs --pack {self.folder} --record"
            )
        else:
            lines.append(f"It is better. Bring it into use with: faceweb models use {self.folder}")
        return "\n".join(lines)


def _table(title: str, judgement: Judgement) -> list[str]:
    return [
        f"{title}: {judgement.mated:,} mated pairs, {judgement.non_mated:,} non-mated",
        f"{'FMR':<12}{'TMR before':<14}TMR with the head",
        *(
            f"{point.fmr:<12g}{point.before:<14.4f}{point.after:.4f}"
            + ("" if point.is_supported else "  (too few pairs to tell)")
            for point in judgement.points
        ),
    ]
