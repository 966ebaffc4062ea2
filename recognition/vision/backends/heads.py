"""An embedder with a learned head on it; see `recognition.training`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recognition.vision.interfaces import FaceEmbedder, InferenceSession


class HeadEmbedder:
    """Embeds aligned faces with another embedder, and projects what comes of it."""

    def __init__(self, embedder: FaceEmbedder, session: InferenceSession) -> None:
        """Takes the embedder below and a session of the head's graph."""
        self._embedder = embedder
        self._session = session

    @property
    def runtime(self) -> str:
        """Name, version and device that really run the embedder below."""
        return self._embedder.runtime

    def embed(self, crops_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeds (n, 112, 112, 3) uint8 crops; see `FaceEmbedder`."""
        vectors = self._embedder.embed(crops_bgr)
        return self._session.run(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))[0]
