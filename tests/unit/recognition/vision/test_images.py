from __future__ import annotations

import functools
import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from recognition.vision import images
from recognition.vision.errors import ImageError, InvalidArray, TooManyBytes, TooManyPixels, UnreadableImage
from recognition.vision.images import ImageLimits
from recognition.vision.types import Size
from tests import faces

WIDTH, HEIGHT = 24, 16


@functools.cache
def corners() -> Image.Image:
    """Four corners of four colours, so that each of the eight orientations looks different."""
    image = Image.new("RGB", (WIDTH, HEIGHT))
    for (x, y), colour in {(0, 0): "red", (1, 0): "lime", (0, 1): "blue", (1, 1): "white"}.items():
        image.paste(colour, (x * WIDTH // 2, y * HEIGHT // 2, (x + 1) * WIDTH // 2, (y + 1) * HEIGHT // 2))
    return image


@functools.cache
def encoded(file_format: str = "JPEG", orientation: int | None = None) -> bytes:
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    file = io.BytesIO()
    if file_format in {"JPEG", "WEBP"}:
        corners().save(file, file_format, exif=exif, quality=100)
    else:
        corners().save(file, file_format, exif=exif)
    return file.getvalue()


def huge_png(width: int, height: int) -> bytes:
    """A PNG whose header promises that many pixels, with hardly any data behind it."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def huge_jpeg(width: int, height: int) -> bytes:
    data = bytearray(encoded("JPEG"))
    start_of_frame = data.index(b"\xff\xc0")
    data[start_of_frame + 5 : start_of_frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


class TestReadHeader:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"not an image",
            b"\xff\xd8\xff",
            b"GIF89a" + bytes(20),
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"%PDF-1.7",
        ],
    )
    def test_refuses_what_is_no_image_of_a_kind_that_is_read(self, data: bytes) -> None:
        with pytest.raises(UnreadableImage, match="not an image that can be read"):
            images.read_header(data)

    @pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
    def test_reads_format_and_size_of_every_kind(self, file_format: str) -> None:
        header = images.read_header(encoded(file_format))
        assert (header.format, header.size, header.orientation) == (file_format, Size(WIDTH, HEIGHT), 1)

    def test_takes_exactly_as_many_bytes_as_the_limit_and_not_one_more(self) -> None:
        data = encoded()
        images.read_header(data, ImageLimits(max_bytes=len(data)))
        with pytest.raises(TooManyBytes):
            images.read_header(data, ImageLimits(max_bytes=len(data) - 1))

    def test_takes_exactly_as_many_pixels_as_the_limit_and_not_one_more(self) -> None:
        images.read_header(encoded(), ImageLimits(max_pixels=WIDTH * HEIGHT))
        with pytest.raises(TooManyPixels, match=f"{WIDTH * HEIGHT} pixels"):
            images.read_header(encoded(), ImageLimits(max_pixels=WIDTH * HEIGHT - 1))

    @pytest.mark.parametrize(
        "data",
        [
            huge_png(6_400, 6_400),  # just over our own limit
            huge_png(30_000, 30_000),  # where Pillow alone would refuse
            huge_png(2**31 - 1, 2**31 - 1),
            huge_jpeg(6_400, 6_400),
            huge_jpeg(65_500, 65_500),
        ],
    )
    def test_refuses_too_many_pixels_by_the_header_alone(self, data: bytes) -> None:
        assert len(data) < 2_000
        with pytest.raises(TooManyPixels) as caught:
            images.read_header(data)
        assert caught.value.measured > caught.value.most == 40_000_000

    @pytest.mark.parametrize("orientation", [0, 9, 65_535])
    def test_takes_an_orientation_that_does_not_exist_for_upright(self, orientation: int) -> None:
        assert images.read_header(encoded("JPEG", orientation)).orientation == 1


class TestDecode:
    @pytest.mark.parametrize("file_format", ["JPEG", "PNG"])
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_turns_every_orientation_the_way_up_that_it_says(self, file_format: str, orientation: int) -> None:
        data = encoded(file_format, orientation)
        with Image.open(io.BytesIO(data)) as image:
            expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))[:, :, ::-1]
        decoded = images.decode(data)
        assert decoded.shape == expected.shape
        assert np.abs(decoded.astype(int) - expected).max() < 8  # two JPEG decoders round differently

    def test_gives_blue_before_red(self) -> None:
        assert images.decode(encoded("PNG"))[0, 0].tolist() == [0, 0, 255]

    def test_drops_transparency(self) -> None:
        file = io.BytesIO()
        Image.new("RGBA", (4, 4), (10, 20, 30, 0)).save(file, "PNG")
        assert images.decode(file.getvalue())[0, 0].tolist() == [30, 20, 10]

    @pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK"])
    def test_makes_three_channels_of_every_colour_space(self, mode: str) -> None:
        file = io.BytesIO()
        corners().convert(mode).save(file, "JPEG" if mode == "CMYK" else "PNG")
        assert images.decode(file.getvalue()).shape == (HEIGHT, WIDTH, 3)

    @pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
    @pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
    def test_refuses_a_file_that_is_cut_off_or_gives_it_whole(self, file_format: str, share: float) -> None:
        data = encoded(file_format)
        try:
            decoded = images.decode(data[: int(len(data) * share)])
        except ImageError:
            return
        # Half a JPEG or TIFF decodes, grey below; it keeps its size at least.
        assert decoded.shape == (HEIGHT, WIDTH, 3)

    @settings(max_examples=300)
    @given(
        file_format=st.sampled_from(["JPEG", "PNG", "WEBP", "BMP", "TIFF"]),
        orientation=st.sampled_from([None, 6]),
        changes=st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 255)), max_size=12),
        length=st.integers(0, 3_000),
    )
    @example(file_format="PNG", orientation=6, changes=[], length=60)
    def test_answers_any_damage_with_an_image_within_the_limits_or_an_image_error(
        self, file_format: str, orientation: int | None, changes: list[tuple[int, int]], length: int
    ) -> None:
        data = bytearray(encoded(file_format, orientation))
        for position, value in changes:
            data[position % len(data)] = value
        limits = ImageLimits(max_bytes=10_000, max_pixels=10_000)
        try:
            decoded = images.decode(bytes(data[:length]), limits)
        except ImageError:
            return
        assert decoded.dtype == np.uint8
        assert decoded.shape[0] * decoded.shape[1] <= limits.max_pixels
        assert decoded.shape[2] == 3

    @settings(max_examples=200)
    @given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\n", b"II*\0", b"BM"]))
    def test_answers_any_bytes_with_an_image_or_an_image_error(self, data: bytes, signature: bytes) -> None:
        try:
            decoded = images.decode(signature + data, ImageLimits(max_bytes=1_000, max_pixels=10_000))
        except ImageError:
            return
        assert decoded.ndim == 3


class TestEncodeJpeg:
    def test_refuses_what_is_no_image(self) -> None:
        with pytest.raises(InvalidArray):
            images.encode_jpeg(np.zeros((0, 0, 3), np.uint8))

    def test_keeps_the_picture_and_its_colours(self) -> None:
        picture = faces.astronaut()
        again = images.decode(images.encode_jpeg(picture, 95))
        assert again.shape == picture.shape
        assert cv2.PSNR(picture, again) > 35

    def test_makes_smaller_files_of_lower_quality(self) -> None:
        picture = faces.astronaut()
        assert len(images.encode_jpeg(picture, 50)) < len(images.encode_jpeg(picture, 90))
