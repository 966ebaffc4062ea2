"""Printed codes in a picture: QR codes, and the bar codes of shops (EAN, UPC)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2

from recognition.vision.types import ImageBgr

MAX_CHARACTERS = 100
"""As long as an external id; a longer text is not one, and is not cut to look like one."""


def read(image_bgr: ImageBgr) -> tuple[str, ...]:
    """Reads every code that is an id: one line of printable characters.

    Args:
        image_bgr: (height, width, 3) uint8; may be mirrored, and may show anything.

    Returns:
        Their texts without blanks around them, each once, QR codes first; empty without one.
    """
    # Made anew for each picture: detectors keep state and are used by one thread at a time.
    qr, bars = cv2.QRCodeDetector(), cv2.barcode.BarcodeDetector()
    found = [*_texts(qr.detectAndDecodeMulti, image_bgr), *_texts(bars.detectAndDecodeMulti, image_bgr)]
    return tuple(dict.fromkeys(text for text in map(str.strip, found) if _may_be_an_id(text)))


def _texts(detect: Callable[[ImageBgr], Any], image_bgr: ImageBgr) -> tuple[str, ...]:
    try:
        # Whether there is one, the texts, the corners, the straightened codes.
        return tuple(detect(image_bgr)[1])
    except (cv2.error, UnicodeDecodeError, SystemError):
        # A damaged or hostile code: OpenCV gives up within, or its bytes are no text.
        return ()


def _may_be_an_id(text: str) -> bool:
    return 0 < len(text) <= MAX_CHARACTERS and text.isprintable()
