"""What can be measured of a face before it is compared."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.vision import geometry
from recognition.vision.types import DetectedFace, Quality, Size


def measure(face: DetectedFace, crop_bgr: NDArray[np.uint8], image_size: Size) -> Quality:
    """Measures one face.

    Args:
        face: as found in the image.
        crop_bgr: (112, 112, 3) uint8, the same face aligned; sharpness is measured here so that
            one scale holds for near and far faces.
        image_size: size of the image that the face was found in.
    """
    grey = cv2.cvtColor(crop_bgr, cv2.COLOR_BGR2GRAY)
    yaw, pitch, roll = geometry.head_pose_degrees(face.landmarks)
    return Quality(
        face_size_px=face.box.shorter_side,
        inter_eye_distance_px=face.landmarks.inter_eye_distance,
        detection_score=face.score,
        # Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
        # 16 bits hold every value that the 3 x 3 kernel makes of 8.
        sharpness=float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))[1][0, 0] ** 2),
        luminance_mean=float(grey.mean()) / 255.0,
        yaw_degrees=yaw,
        pitch_degrees=pitch,
        roll_degrees=roll,
        visible_fraction=face.box.visible_fraction(image_size),
    )
