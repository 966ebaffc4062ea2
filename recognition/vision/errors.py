"""Everything that can go wrong between a file and a vector.

::

    VisionError
    ├── ImageError                 the picture itself
    │   ├── UnreadableImage        not an image, truncated, or of a kind we do not read
    │   └── ImageTooLarge          refused before decoding
    │       ├── TooManyBytes
    │       └── TooManyPixels
    ├── UnreadableVideo            not a video, cut off before its first frame, or of a kind we do not read
    ├── PackError                  the model pack
    │   ├── PackUnavailable        a file is missing; the message names file and folder
    │   ├── PackCorrupt            a file's digest is not the published one
    │   ├── PackInvalid            what somebody brought along is not what its manifest says
    │   ├── PackUnfit              it can be loaded and measured, and must not be brought into use
    │   └── RuntimeUnavailable     the demanded inference runtime is not installed here
    ├── InvalidArray               an array of another shape, type or range than the contract says
    └── PackMismatch               two embeddings of different packs were compared

The message of each is written for the person who reads it: what happened, why, what to do.
"""

from __future__ import annotations

from typing import ClassVar


class VisionError(Exception):
    """Base of every error of this package."""


class ImageError(VisionError):
    """The picture cannot be used."""


class UnreadableImage(ImageError):
    """The bytes are not an image that can be decoded."""


class ImageTooLarge(ImageError):
    """The image has more bytes or pixels than the limit; it was not decoded.

    Args:
        measured: how many it has.
        most: how many are read.
    """

    unit: ClassVar[str]

    def __init__(self, measured: int, most: int) -> None:
        super().__init__(
            f"The image has {measured:,} {self.unit}; at most {most:,} are read. Save it smaller and try again."
        )
        self.measured = measured
        self.most = most


class TooManyBytes(ImageTooLarge):
    """The file is larger than the limit."""

    unit = "bytes"


class TooManyPixels(ImageTooLarge):
    """The header says more pixels than the limit."""

    unit = "pixels"


class UnreadableVideo(VisionError):
    """The file is no video that can be read; the text says why, and is for whoever chose it."""


class PackError(VisionError):
    """The model pack cannot be used."""


class PackUnavailable(PackError):
    """A file of the pack is not on this machine."""


class PackCorrupt(PackError):
    """A file of the pack is not the file that was published."""


class PackInvalid(PackError):
    """The manifest of an embedder is wrong, or its model is not what the manifest says."""


class PackUnfit(PackError):
    """The pack must not be brought into use; the message says why."""


class RuntimeUnavailable(PackError):
    """The demanded inference runtime is not installed, or does not start."""


class InvalidArray(VisionError):
    """An array breaks the contract that its message states."""


class PackMismatch(VisionError):
    """Embeddings of two model packs have no common scale and cannot be compared."""
