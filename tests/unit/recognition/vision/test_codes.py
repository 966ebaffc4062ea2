from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognition.vision import codes
from tests import faces

GREY = 96


def card(text: str, *, side_px: int = 240) -> NDArray[np.uint8]:
    """A QR code held before a camera."""
    frame = np.full((480, 640, 3), GREY, np.uint8)
    drawn = cv2.QRCodeEncoder.create().encode(text)
    code = cv2.resize(drawn, (side_px, side_px), interpolation=cv2.INTER_NEAREST)
    frame[100 : 100 + side_px, 200 : 200 + side_px] = code[:, :, None]
    return frame


@pytest.mark.parametrize(
    "image",
    [np.zeros((1, 1, 3), np.uint8), np.zeros((3, 2000, 3), np.uint8), np.full((480, 640, 3), GREY, np.uint8)],
)
def test_a_picture_without_a_code_gives_none(image: NDArray[np.uint8]) -> None:
    assert codes.read(image) == ()


@pytest.mark.parametrize("image", [faces.astronaut(), *faces.textures().values()])
def test_faces_and_patterns_are_no_codes(image: NDArray[np.uint8]) -> None:
    assert codes.read(image) == ()


@pytest.mark.parametrize("text", ["4711", "B-0042", "Zürich 7", "x" * codes.MAX_CHARACTERS])
def test_reads_a_qr_code(text: str) -> None:
    assert codes.read(card(text, side_px=320)) == (text,)


def test_reads_it_mirrored_and_turned_as_a_hand_holds_it() -> None:
    frame = card("4711")
    assert codes.read(np.ascontiguousarray(frame[:, ::-1])) == ("4711",)
    turned = cv2.warpAffine(frame, cv2.getRotationMatrix2D((320, 220), 20, 1.0), (640, 480), borderValue=(GREY,) * 3)
    assert codes.read(np.asarray(turned, np.uint8)) == ("4711",)


def test_blanks_around_the_text_are_not_part_of_it() -> None:
    assert codes.read(card(" 4711 ")) == ("4711",)


@pytest.mark.parametrize("text", ["x" * (codes.MAX_CHARACTERS + 1), "47\n11", "47\x1b[31m", "\u202e1174", "   "])
def test_what_cannot_be_an_id_is_left_out(text: str) -> None:
    assert codes.read(card(text, side_px=320)) == ()


def ean13(digits: str) -> NDArray[np.uint8]:
    """The bars of an EAN-13, by the tables of ISO/IEC 15420."""
    left = [
        "0001101",
        "0011001",
        "0010011",
        "0111101",
        "0100011",
        "0110001",
        "0101111",
        "0111011",
        "0110111",
        "0001011",
    ]
    parity = ["LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL"]
    right = ["".join("10"[int(bit)] for bit in code) for code in left]
    begin = "".join(
        left[int(digit)] if kind == "L" else right[int(digit)][::-1]
        for digit, kind in zip(digits[1:7], parity[int(digits[0])], strict=True)
    )
    bits = "101" + begin + "01010" + "".join(right[int(digit)] for digit in digits[7:]) + "101"
    bars = np.repeat([0 if bit == "1" else 255 for bit in bits], 3).astype(np.uint8)
    frame = np.full((480, 640, 3), 255, np.uint8)
    frame[150:300, 150 : 150 + len(bars)] = bars[None, :, None]
    # As a lens draws it: the detector finds no bars whose edges are perfectly sharp.
    return np.asarray(cv2.GaussianBlur(frame, (3, 3), 0), np.uint8)


def test_reads_a_bar_code() -> None:
    assert codes.read(ean13("4006381333931")) == ("4006381333931",)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(64, 64), (480, 640), (5, 900)]), st.floats(0.0, 0.4))
def test_noise_and_damaged_codes_never_raise(seed: int, size: tuple[int, int], damage: float) -> None:
    random = np.random.default_rng(seed)
    noise = random.integers(0, 256, (*size, 3), dtype=np.uint8)
    codes.read(noise)
    frame = card("4711")
    hurt = random.random(frame.shape[:2]) < damage
    frame[hurt] = random.integers(0, 256, 3)
    assert set(codes.read(frame)) <= {"4711"}
