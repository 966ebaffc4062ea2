"""The roles that networks and runtimes play; implementations are named after their technology."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recognition.vision.types import DetectedFace, ImageBgr


class InferenceSession(Protocol):
    """One network, ready to run. Safe to call from several threads at once."""

    @property
    def runtime(self) -> str:
        """Name, version and device that really run the network, for people to read."""

    def run(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """Runs the network.

        Args:
            batch: (n, channels, height, width) float32.

        Returns:
            The network's outputs, in the order of its file.
        """


class FaceDetector(Protocol):
    """Finds faces and their five landmarks. Safe to call from several threads at once."""

    sure_score: float
    """A face that is tilted by 45 degrees or more hardly reaches it, and an upright one of fair quality does."""

    upright_degrees: float
    """A face that is shown less tilted is left as it was found: up to there its landmarks are as good as they get."""

    tilt_view_px: int
    """Side of a view, twice as wide as the face, in which its landmarks show how a face is tilted."""

    @property
    def runtime(self) -> str:
        """Name, version and device that really run the network."""

    def detect(self, image_bgr: ImageBgr) -> tuple[DetectedFace, ...]:
        """Finds the faces of an image at the scale that it comes in.

        Args:
            image_bgr: (height, width, 3) uint8 in the order blue, green, red.

        Returns:
            The faces in pixels of that image, best score first; empty when there is none.
        """


class FaceEmbedder(Protocol):
    """Turns aligned faces into vectors. Safe to call from several threads at once."""

    @property
    def runtime(self) -> str:
        """Name, version and device that really run the network."""

    def embed(self, crops_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeds aligned faces.

        Args:
            crops_bgr: (n, side, side, 3) uint8 in the order blue, green, red, as the pack's `alignment.Cut` makes them.

        Returns:
            (n, d) float32, of any length but zero.
        """
