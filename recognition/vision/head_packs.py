"""A pack of another pack and a learned head: a folder with the head as ONNX and a manifest."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from recognition.vision.errors import PackCorrupt, PackUnavailable
from recognition.vision.model_packs import ModelPack, OperatingPoint, PackFile

MANIFEST_NAME, HEAD_NAME = "head.json", "head.onnx"

NOT_BETTER = (
    "The head {name} did not tell people apart better than {base} alone, on people that it had not seen, so it is not "
    "brought into use. Train it on more people, or use {base}."
)


@dataclasses.dataclass(frozen=True, slots=True)
class HeadManifest:
    """What is known of a head.

    Args:
        base: name or folder of the pack whose vectors it takes.
        base_digest: of that pack when the head was learned.
        sha256: of the head's file.
        is_better: whether it told people apart better than the base alone, on people it had not seen.
        operating_points: measured thresholds; empty where there were too few pairs.
        measured_on: on what they were measured.
    """

    base: str
    base_digest: str
    sha256: str
    is_better: bool
    operating_points: tuple[OperatingPoint, ...]
    measured_on: str

    @classmethod
    def from_json(cls, values: Any) -> HeadManifest:
        """The inverse of `dataclasses.asdict`.

        Raises:
            TypeError, KeyError, ValueError, AttributeError: when it is something else.
        """
        points = tuple(
            OperatingPoint(**{name: float(number) for name, number in point.items()})
            for point in values["operating_points"]
        )
        manifest = cls(**{**values, "operating_points": points})
        texts = (manifest.base, manifest.base_digest, manifest.sha256, manifest.measured_on)
        if not all(isinstance(text, str) for text in texts) or not isinstance(manifest.is_better, bool):
            raise TypeError("expected texts, and whether the head is better")
        return manifest


def is_head(folder: Path) -> bool:
    """Whether a folder is one of these packs."""
    return (folder / MANIFEST_NAME).is_file()


def read(folder: Path) -> HeadManifest:
    """What a folder says of its head.

    Raises:
        PackUnavailable: when it cannot be read.
    """
    path = folder / MANIFEST_NAME
    try:
        return HeadManifest.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise PackUnavailable(
            f"{path} does not describe a head as `faceweb train head` writes it. Train it again."
        ) from error


def write(folder: Path, content: bytes, manifest: HeadManifest) -> None:
    """Writes a head's folder; its manifest last, so that a folder with one is complete.

    Args:
        folder: made where it is not there.
        content: of the ONNX file.
        manifest: its `sha256` is that of `content`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HEAD_NAME).write_bytes(content)
    (folder / MANIFEST_NAME).write_text(json.dumps(dataclasses.asdict(manifest), indent=2) + "\n", encoding="utf-8")


def sha256(content: bytes) -> str:
    """Digest of a head's file."""
    return hashlib.sha256(content).hexdigest()


def head_pack(folder: Path, manifest: HeadManifest, base: ModelPack) -> ModelPack:
    """The pack of a folder.

    Args:
        folder: of the head.
        manifest: as `read` from there.
        base: the pack that the manifest names, as it is here.

    Raises:
        PackCorrupt: when the base is not the one that the head was learned on.
    """
    if base.digest() != manifest.base_digest:
        raise PackCorrupt(
            f"The head in {folder} was learned on another version of the pack {base.name}, and would mean nothing on "
            "this one. Train it again."
        )
    return ModelPack(
        name=folder.name,
        kind="head",
        folder=folder,
        base=base,
        feed=base.feed,
        files=(*base.files, PackFile("head", folder / HEAD_NAME, manifest.sha256)),
        licence=dataclasses.replace(base.licence, source=f"{base.licence.source}, head trained here"),
        preprocessing={**base.preprocessing, "head": "vectors of length 1, linear"},
        landmark_views=base.landmark_views,
        operating_points=manifest.operating_points,
        measured_on=manifest.measured_on,
        unfit="" if manifest.is_better else NOT_BETTER.format(name=folder.name, base=base.name),
    )
