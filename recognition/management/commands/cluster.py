"""`faceweb cluster FOLDER`: photos of a folder, grouped by who is in them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from django.core.management.base import CommandError
from tqdm import tqdm

from recognition import conf, wording
from recognition.decision import clustering
from recognition.decision.clustering import Method
from recognition.decision.policy import QualityFault
from recognition.import_wording import skip_sentence
from recognition.importing.entries import IMAGE_SUFFIXES, SYSTEM_FILES, Skip
from recognition.management import cluster_folders, folders
from recognition.management.base import FAILED, RecognitionCommand
from recognition.management.cluster_folders import ALONE_NAME, Photo, PhotoFace, Row
from recognition.selectors import packs
from recognition.services import importing
from recognition.services.importing import LookedAt
from recognition.vision.errors import TooManyBytes
from recognition.vision.images import STILL_LIMITS

NOT_ALL_READ = 1
"""Exit status when photos were grouped and some files could not be read; 2 when nothing was written."""


class Command(RecognitionCommand):
    """Groups the faces of a folder; nothing is enrolled, and the photos stay where they are."""

    help = "Group the photos of a folder by who is in them: a folder for each person, and a list of all faces."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """FOLDER, and how to group."""
        parser.add_argument("folder", type=Path, metavar="FOLDER", help="photos, also in folders below it")
        parser.add_argument(
            "--out", type=Path, metavar="DIR", help="where to write (default: FOLDER-clusters, beside the folder)"
        )
        parser.add_argument(
            "--method",
            choices=[method.value for method in Method],
            default=Method.AGGLOMERATIVE.value,
            help="how faces are grouped (default: agglomerative)",
        )
        parser.add_argument("--k", type=int, metavar="N", help="into how many groups; k-means needs it")
        parser.add_argument(
            "--threshold",
            type=float,
            metavar="S",
            help="mean similarity from which groups are joined (default: that of a search by the policy in force)",
        )
        parser.add_argument("--links", action="store_true", help="link to the photos instead of copying them")
        parser.add_argument("--replace", action="store_true", help="replace what an earlier run wrote there")
        super().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the files that could not be read and the groups; exit status 1 when there are such files."""
        source, method = options["folder"], Method(options["method"])
        if not source.is_dir():
            raise CommandError(f"There is no folder {source}.", returncode=FAILED)
        target = options["out"] or source.resolve().parent / f"{source.resolve().name}-clusters"
        with self.explained():
            clustering.require_count(method, options["k"])
        cluster_folders.require_free(target, source, replace=options["replace"])
        paths = [path for path in folders.files_below(source) if PurePosixPath(path).name not in SYSTEM_FILES]
        if not paths:
            raise CommandError(f"{source} holds no files.", returncode=FAILED)
        with self.recognition():
            threshold = _threshold(options["threshold"], method, options["k"])
            photos = _looked_at(source, paths, quiet=options["json"])
            faces = [face.vector for photo in photos for face in photo.faces]
            vectors = np.stack(faces) if faces else np.empty((0, 1), np.float32)
            labels = clustering.cluster(vectors, threshold=threshold, method=method, count=options["k"])
        rows = cluster_folders.arranged(photos, labels.tolist())
        cluster_folders.write(rows, source=source, target=target, links=options["links"])
        unread = [photo for photo in photos if not photo.is_read]
        self.answer(_values(rows, photos, method, target), _words(rows, unread, target), as_json=options["json"])
        if unread:
            sys.exit(NOT_ALL_READ)


def _threshold(wanted: float | None, method: Method, count: int | None) -> float:
    """The one to be used; any number, where none is."""
    if wanted is not None:
        if not -1.0 <= wanted <= 1.0:
            raise ValueError(f"--threshold: expected -1..1, got {wanted}")
        return wanted
    active = packs.active()
    if active.policy is not None:
        return active.policy.identification_threshold
    if method is Method.AGGLOMERATIVE and count is None:
        raise ValueError(f"The pack {active.name} has no measured thresholds. Name one with --threshold.")
    return 0.0


def _looked_at(folder: Path, paths: Sequence[str], *, quiet: bool) -> list[Photo]:
    """Every file, in the order of `paths`; those that are not named like photos are not looked at."""
    read, lost = folders.reader(folder), dict[str, str]()
    images = [path for path in paths if PurePosixPath(path).suffix.lower() in IMAGE_SUFFIXES]
    seen = importing.looked_at(files=_contents(images, read, lost), threads=conf.worker_threads())
    progress = tqdm(seen, total=len(images), unit="photo", disable=quiet)
    photos = {path: _photo(path, looked_at) for path, looked_at in progress}
    return [
        photos[path]
        if path in photos
        else Photo(path, reason=lost.get(path) or skip_sentence(Skip.NOT_AN_IMAGE), is_read=False)
        for path in paths
    ]


def _contents(
    paths: Sequence[str], read: folders.Read, lost: dict[str, str]
) -> Iterator[tuple[str, str, bytes | QualityFault]]:
    """The content of each file as it is needed; what the disk does not give is noted in `lost`."""
    for path in paths:
        try:
            yield path, "", read(path, STILL_LIMITS.max_bytes)
        except TooManyBytes as error:
            yield path, "", wording.image_fault(error)
        except CommandError as error:
            lost[path] = str(error)


def _photo(path: str, looked_at: LookedAt) -> Photo:
    if looked_at.fault is not None:
        return Photo(path, reason=wording.fault_sentence(looked_at.fault), is_read=False)
    faces = tuple(PhotoFace(face.face.box, face.embedding.vector) for face in looked_at.faces)
    return Photo(path, faces, reason="" if faces else "No face was found.")


def _values(rows: Sequence[Row], photos: Sequence[Photo], method: Method, target: Path) -> Mapping[str, Any]:
    counts = cluster_folders.counted(rows)
    return {
        "out": str(target),
        "method": method.value,
        "files": len(photos),
        "faces": sum(counts.values()),
        "clusters": len(counts.keys() - {ALONE_NAME}),
        "alone": counts.get(ALONE_NAME, 0),
        "without_face": sum(photo.is_read and not photo.faces for photo in photos),
        "not_read": sum(not photo.is_read for photo in photos),
        "results": [row.as_json() for row in rows],
    }


def _words(rows: Sequence[Row], unread: Sequence[Photo], target: Path) -> str:
    counts = cluster_folders.counted(rows)
    alone = counts.get(ALONE_NAME, 0)
    lines = [f"{photo.path}: not read. {photo.reason}" for photo in unread]
    lines += [f"{row.photo.path}: no face was found." for row in rows if row.face is None and row.photo.is_read]
    clusters = len(counts) - (ALONE_NAME in counts)
    lines.append(f"Faces: {sum(counts.values())}. Clusters: {clusters}. Faces that belong nowhere: {alone}.")
    lines.append(f"Written to {target}.")
    return "\n".join(lines)
