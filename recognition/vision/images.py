"""Bytes to pixels and back, with limits that are checked before anything is decoded."""

from __future__ import annotations

import dataclasses
import io
import warnings

import cv2
import numpy as np
from PIL import ExifTags, Image

from recognition.vision.errors import TooManyBytes, TooManyPixels, UnreadableImage
from recognition.vision.types import ImageBgr, Size, require_image

READABLE_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "MPO")
"""What both Pillow (header) and OpenCV (pixels) read; MPO is what some phones call their JPEGs."""

Image.MAX_IMAGE_PIXELS = None
"""Pillow's own limit would refuse without saying how many pixels there are; ours is checked as early."""

_ROTATIONS = {
    # EXIF orientation -> (rotate, then mirror left-right); from the EXIF 2.3 standard, tag 0x0112.
    2: (None, True),
    3: (cv2.ROTATE_180, False),
    4: (cv2.ROTATE_180, True),
    5: (cv2.ROTATE_90_CLOCKWISE, True),
    6: (cv2.ROTATE_90_CLOCKWISE, False),
    7: (cv2.ROTATE_90_COUNTERCLOCKWISE, True),
    8: (cv2.ROTATE_90_COUNTERCLOCKWISE, False),
}


@dataclasses.dataclass(frozen=True, slots=True)
class ImageLimits:
    """What is refused before decoding.

    Args:
        max_bytes: size of the file.
        max_pixels: width times height, as its header says.
    """

    max_bytes: int = 20 * 1024 * 1024
    max_pixels: int = 40_000_000


STILL_LIMITS = ImageLimits()
FRAME_LIMITS = ImageLimits(max_bytes=512 * 1024, max_pixels=1920 * 1080)
"""Limits of one webcam frame: full HD, which a JPEG of quality 0.85 fills with about 400 KB."""


@dataclasses.dataclass(frozen=True, slots=True)
class ImageHeader:
    """What an image says of itself before it is decoded.

    Args:
        format: name of the file format, as Pillow gives it.
        size: as stored, before EXIF orientation is applied.
        orientation: EXIF orientation, 1..8.
    """

    format: str
    size: Size
    orientation: int


def read_header(data: bytes, limits: ImageLimits = STILL_LIMITS) -> ImageHeader:
    """Reads the header alone and refuses what must not be decoded.

    Raises:
        TooManyBytes, TooManyPixels: more than the limits allow.
        UnreadableImage: not an image of a kind that is read here.
    """
    require_bytes_within(limits, len(data))
    try:
        with warnings.catch_warnings():
            # Of damage, which is answered with an error here.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=READABLE_FORMATS) as image:
                size = Size(*image.size)
                # Before the EXIF block: Pillow decodes a whole PNG to look for one behind the pixels.
                _require_pixels_within(limits, size)
                orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
                name = image.format or "unknown"
    except (OSError, SyntaxError, ValueError, ArithmeticError, LookupError, TypeError) as error:
        # Pillow's plugins let these through for damaged headers and EXIF blocks.
        raise UnreadableImage("This is not an image that can be read. Use a JPEG, PNG or WebP file.") from error
    return ImageHeader(name, size, orientation if orientation in _ROTATIONS else 1)


def require_bytes_within(limits: ImageLimits, size_bytes: int) -> None:
    """Refuses a file by its size, before it is read.

    Raises:
        TooManyBytes: when it is larger than allowed.
    """
    if size_bytes > limits.max_bytes:
        raise TooManyBytes(size_bytes, limits.max_bytes)


def _require_pixels_within(limits: ImageLimits, size: Size) -> None:
    if size.width * size.height > limits.max_pixels:
        raise TooManyPixels(size.width * size.height, limits.max_pixels)


def decode(data: bytes, limits: ImageLimits = STILL_LIMITS) -> ImageBgr:
    """Decodes an image the way up that its EXIF orientation says.

    Args:
        data: a JPEG, PNG, WebP, BMP or TIFF file.
        limits: what to refuse before decoding.

    Returns:
        (height, width, 3) uint8 in the order blue, green, red; transparency is dropped.

    Raises:
        TooManyBytes, TooManyPixels: more than the limits allow.
        UnreadableImage: not an image, or one that is cut off.
    """
    header = read_header(data, limits)
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_BGR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise UnreadableImage(
            "The image could not be decoded; the file is damaged. Save it again and retry."
        ) from error
    if decoded is None:
        raise UnreadableImage("The image could not be decoded; the file is damaged. Save it again and retry.")
    image_bgr = np.asarray(decoded, dtype=np.uint8)
    if header.orientation in _ROTATIONS:
        rotation, mirrored = _ROTATIONS[header.orientation]
        if rotation is not None:
            image_bgr = np.asarray(cv2.rotate(image_bgr, rotation), dtype=np.uint8)
        if mirrored:
            image_bgr = np.asarray(cv2.flip(image_bgr, 1), dtype=np.uint8)
    return image_bgr


def encode_jpeg(image_bgr: ImageBgr, quality: int = 90) -> bytes:
    """Encodes an image as JPEG.

    Args:
        image_bgr: (height, width, 3) uint8 in the order blue, green, red.
        quality: 1..100.
    """
    require_image(image_bgr)
    done, data = cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise UnreadableImage("The image could not be encoded as JPEG.")
    return data.tobytes()
