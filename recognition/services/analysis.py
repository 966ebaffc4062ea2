"""The request port for still images: how services reach the networks without knowing where they run.

The entry point of each process fills the port: with a pipeline of its own, or with one that asks a
worker on another machine. A process that serves no images leaves it empty.
"""

from __future__ import annotations

from typing import Protocol

from django.utils.translation import gettext

from recognition.vision.types import EmbeddedFace


class AnalyserUnavailable(Exception):
    """No worker can analyse images now; the text says what to do."""


class StillImageAnalyser(Protocol):
    """Finds and embeds every face of a photo with the active pack."""

    def analyse(self, data: bytes) -> tuple[EmbeddedFace, ...]:
        """Analyses one photo.

        Args:
            data: the file as it came.

        Returns:
            Its faces, the largest first; empty when there is none.

        Raises:
            ImageError: when it is not an image, or too large.
            AnalyserUnavailable: when no worker answers.
        """

    def is_up(self) -> bool:
        """Whether a photo would be analysed now."""


_analysers: list[StillImageAnalyser] = []


def connect(analyser: StillImageAnalyser) -> None:
    """Fills the port of this process; the last one connected is used."""
    _analysers[:] = [analyser]


def is_up() -> bool:
    """Whether this process reaches something that analyses photos."""
    return bool(_analysers) and _analysers[0].is_up()


def analyse(data: bytes) -> tuple[EmbeddedFace, ...]:
    """Analyses one photo with whatever the process was connected to; see `StillImageAnalyser`."""
    if not _analysers:
        raise AnalyserUnavailable(
            gettext("No recognition worker is running. Ask whoever runs the system to start one.")
        )
    return _analysers[0].analyse(data)
