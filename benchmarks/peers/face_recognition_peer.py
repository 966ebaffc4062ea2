"""face_recognition (dlib): HOG detector, ResNet of 128 numbers, compared by their distance."""

from __future__ import annotations

import io

import face_recognition
import numpy as np
from numpy.typing import NDArray

from benchmarks.peers import measuring


class Dlib:
    """As its README shows it: default detector, default number of jitters."""

    def vector(self, jpeg: bytes) -> NDArray[np.float32] | None:
        """See `measuring.Recogniser`."""
        image = face_recognition.load_image_file(io.BytesIO(jpeg))
        locations = face_recognition.face_locations(image)
        if not locations:
            return None
        boxes = [(left, top, right, bottom) for top, right, bottom, left in locations]
        chosen = locations[measuring.nearest_centre(boxes, image.shape[1], image.shape[0])]
        return np.asarray(face_recognition.face_encodings(image, [chosen])[0], np.float32)


if __name__ == "__main__":
    measuring.main(Dlib)
