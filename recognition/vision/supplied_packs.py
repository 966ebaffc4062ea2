"""A pack of an embedder that somebody brought along: a folder with an ONNX file and a manifest in TOML.

The manifest says everything that changes a vector, so that the model runs here as it was trained. Faces are found by
the detector of another pack.
"""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from recognition.vision.alignment import Cut
from recognition.vision.errors import PackInvalid, PackUnavailable
from recognition.vision.model_packs import DEFAULT_PACK_NAME, Channels, Feed, Layout, Licence, ModelPack, PackFile

MANIFEST_NAME = "embedder.toml"

MOST_MANIFEST_BYTES = 2**16

MOST_MODEL_BYTES = 2**30
"""ONNX files of 2 GiB cannot be read in one piece, and loading one takes twice its size in memory."""

LEAST_SIDE_PX, MOST_SIDE_PX = 32, 256
"""Of the input. Larger faces are reduced to 200 pixels before they are cut out, so more would be enlarged."""

MOST_MARGIN = 1.0
"""A square of twice the face, which lies within what is reduced with it, however the face is tilted."""

MOST_DIMENSION = 2048
"""Of the vectors. The database takes any; beyond this the sketches that large galleries are searched by take long."""

LONGEST_NAME, LONGEST_LICENCE, LONGEST_URL = 100, 100, 200

_MOST_NUMBER = 1e6
_SHOWN_CHARACTERS = 40
_NEEDED = object()
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_URL = re.compile(r"https?://[^\s/]\S*")


@dataclasses.dataclass(frozen=True, slots=True)
class Manifest:
    """What is said of an embedder.

    Args:
        name: how people call it.
        file: the ONNX file beside the manifest.
        sha256: that the file must have; None where it is not said.
        feed: how the embedder is fed.
        detector: name or folder of the pack whose detector finds the faces.
        licence: terms of use.
    """

    name: str
    file: str
    sha256: str | None
    feed: Feed
    detector: str
    licence: Licence

    @classmethod
    def parse(cls, text: str) -> Manifest:
        """Reads a manifest; what each key means: docs/howto/embedders.md.

        Raises:
            PackInvalid: naming the key, what was expected and what came, in one line.
        """
        try:
            values = tomllib.loads(text)
        # A nest of thousands of brackets is no manifest either.
        except (ValueError, RecursionError) as error:
            reason = " ".join(str(error).split())[:200]
            raise PackInvalid(f"this is not TOML: {reason}") from error
        table = _Table(values)
        given, alignment, licence = table.table("input"), table.table("alignment"), table.table("licence")
        side_px = given.whole("size", LEAST_SIDE_PX, MOST_SIDE_PX)
        manifest = cls(
            name=table.text("name", LONGEST_NAME),
            file=table.file("file"),
            sha256=table.sha256("sha256"),
            feed=Feed(
                cut=Cut(side_px, alignment.margin()),
                channels=given.channels("channels"),
                mean=given.three("mean", least=-_MOST_NUMBER),
                std=given.three("std", least=1 / _MOST_NUMBER),
                layout=given.layout("layout"),
                dimension=table.whole("dimension", 2, MOST_DIMENSION),
            ),
            detector=table.text("detector", 1000, default=DEFAULT_PACK_NAME),
            licence=Licence(
                name=licence.text("name", LONGEST_LICENCE),
                commercial_use=licence.flag("commercial_use"),
                source="brought along",
                url=licence.url("url"),
            ),
        )
        for each in (given, alignment, licence, table):
            each.require_nothing_else()
        return manifest


class _Table:
    """A table of a manifest, of which each key is taken once."""

    def __init__(self, values: Mapping[str, Any], path: str = "") -> None:
        self._left, self._path = dict(values), path

    def _take(self, key: str, expected: str, is_right: Callable[[Any], bool], default: Any = _NEEDED) -> Any:
        if key not in self._left and default is not _NEEDED:
            return default
        if key not in self._left:
            raise PackInvalid(f"{self._path}{key} is missing: expected {expected}")
        value = self._left.pop(key)
        if not is_right(value):
            raise PackInvalid(f"{self._path}{key}: expected {expected}, got {repr(value)[:_SHOWN_CHARACTERS]}")
        return value

    def table(self, key: str) -> _Table:
        return _Table(self._take(key, "a table", lambda value: isinstance(value, dict)), f"{key}.")

    def text(self, key: str, longest: int, default: Any = _NEEDED) -> str:
        expected = f"a text of 1 to {longest} printable characters"
        text: str = self._take(key, expected, lambda value: _is_text(value) and 0 < len(value) <= longest, default)
        return text

    def file(self, key: str) -> str:
        expected = "the name of an ONNX file in the same folder"
        name: str = self._take(
            key, expected, lambda value: _is_text(value) and value not in (".", "..") and not set(value) & set("/\\")
        )
        return name

    def sha256(self, key: str) -> str | None:
        expected = "a SHA-256 of 64 hexadecimal digits"
        digest = self._take(key, expected, lambda value: _is_text(value) and bool(_SHA256.fullmatch(value)), None)
        return digest.lower() if digest is not None else None

    def url(self, key: str) -> str:
        expected = f"an address of at most {LONGEST_URL} characters that begins with https:// or http://"
        url: str = self._take(
            key, expected, lambda value: _is_text(value) and len(value) <= LONGEST_URL and bool(_URL.fullmatch(value))
        )
        return url

    def whole(self, key: str, least: int, most: int) -> int:
        expected = f"a whole number from {least} to {most}"
        number: int = self._take(
            key, expected, lambda value: isinstance(value, int) and _is_number(value) and least <= value <= most
        )
        return number

    def three(self, key: str, *, least: float) -> tuple[float, float, float]:
        """A number for all channels, or one for each."""
        expected = f"a number from {least:g} to {_MOST_NUMBER:g}, or three of them"

        def is_right(value: Any) -> bool:
            numbers = value if isinstance(value, list) else [value] * 3
            return len(numbers) == 3 and all(_is_number(each) and least <= each <= _MOST_NUMBER for each in numbers)

        value = self._take(key, expected, is_right)
        first, second, third = value if isinstance(value, list) else [value] * 3
        return float(first), float(second), float(third)

    def channels(self, key: str) -> Channels:
        order: Channels = self._take(key, '"RGB" or "BGR"', lambda value: value in ("RGB", "BGR"))
        return order

    def layout(self, key: str) -> Layout | None:
        order: Layout | None = self._take(key, '"NCHW" or "NHWC"', lambda value: value in ("NCHW", "NHWC"), None)
        return order

    def flag(self, key: str) -> bool | None:
        flag: bool | None = self._take(key, "true or false", lambda value: isinstance(value, bool), None)
        return flag

    def margin(self) -> float | None:
        """None for the five points of ArcFace."""
        method = self._take("method", '"arcface" or "crop"', lambda value: value in ("arcface", "crop"))
        if method == "arcface":
            return None
        expected = f"a number from 0 to {MOST_MARGIN:g}"
        return float(self._take("margin", expected, lambda value: _is_number(value) and 0 <= value <= MOST_MARGIN))

    def require_nothing_else(self) -> None:
        for key in self._left:
            raise PackInvalid(f"{self._path}{repr(key)[1:-1][:_SHOWN_CHARACTERS]} is not a key that is known here")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and value.strip() == value and value != ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_supplied(folder: Path) -> bool:
    """Whether a folder is one of these packs."""
    return (folder / MANIFEST_NAME).is_file()


def read(folder: Path) -> Manifest:
    """What a folder says of its embedder.

    Raises:
        PackInvalid: when it says something else; the text names the file.
    """
    path = folder / MANIFEST_NAME
    try:
        with path.open("rb") as file:
            content = file.read(MOST_MANIFEST_BYTES + 1)
        if len(content) > MOST_MANIFEST_BYTES:
            raise PackInvalid(f"a manifest has at most {MOST_MANIFEST_BYTES:,} bytes")
        return Manifest.parse(content.decode())
    except OSError as error:
        raise PackInvalid(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise PackInvalid(f"{path}: expected a text in UTF-8.") from error
    except PackInvalid as error:
        raise PackInvalid(f"{path}: {error}.") from error


def supplied_pack(folder: Path, manifest: Manifest, detecting: ModelPack) -> ModelPack:
    """The pack of a folder.

    Args:
        folder: of the manifest.
        manifest: as `read` from there.
        detecting: the pack whose detector the manifest names.

    Raises:
        PackUnavailable: when the model is not there.
        PackInvalid: when it is too large to be one.
    """
    path = folder / manifest.file
    try:
        size = path.stat().st_size
    except OSError as error:
        raise PackUnavailable(f"{folder / MANIFEST_NAME} names {manifest.file}, which is not in {folder}.") from error
    if size > MOST_MODEL_BYTES:
        raise PackInvalid(f"{path} has {size:,} bytes; at most {MOST_MODEL_BYTES:,} are loaded.")
    finding = (file for file in detecting.files if file.role != "embedder")
    return ModelPack(
        name=manifest.name,
        kind="supplied",
        folder=folder,
        base=detecting,
        files=(*finding, PackFile("embedder", path, manifest.sha256)),
        licence=manifest.licence,
        preprocessing={
            "embedder_input": json.dumps(dataclasses.asdict(manifest.feed), sort_keys=True),
            "detector_input": detecting.preprocessing["detector_input"],
        },
        landmark_views=detecting.landmark_views,
        feed=manifest.feed,
    )
