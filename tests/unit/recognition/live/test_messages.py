from __future__ import annotations

import json
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.live import messages
from recognition.live.messages import FRAME_HEADER, CameraFrame, CloseCode, ErrorCode, MalformedMessage


class TestCameraFrame:
    @pytest.mark.parametrize("length", [0, 1, 15, 16])
    def test_refuses_a_message_too_short_for_a_header_and_an_image(self, length: int) -> None:
        with pytest.raises(MalformedMessage, match=f"expected more than 16 bytes, got {length}"):
            CameraFrame.parse(bytes(length))

    def test_reads_little_endian_sequence_capture_time_and_link(self) -> None:
        data = b"\x01\x02\x00\x00" + struct.pack("<d", 1234.5) + b"\x10\x27\x00\x00" + b"\xff\xd8"
        assert CameraFrame.parse(data) == CameraFrame(513, 1234.5, 10_000, b"\xff\xd8")

    @given(
        st.builds(
            CameraFrame,
            sequence=st.integers(0, 2**32 - 1),
            capture_time_ms=st.floats(allow_nan=False),
            link_us=st.integers(0, 2**32 - 1),
            jpeg=st.binary(min_size=1, max_size=100),
        )
    )
    def test_comes_back_from_what_it_packed(self, frame: CameraFrame) -> None:
        assert CameraFrame.parse(frame.pack()) == frame

    @given(st.binary(max_size=60))
    def test_takes_or_refuses_any_bytes(self, data: bytes) -> None:
        try:
            frame = CameraFrame.parse(data)
        except MalformedMessage:
            assert len(data) <= FRAME_HEADER.size
        else:
            assert frame.jpeg == data[16:]
            assert math.isnan(frame.capture_time_ms) or frame.pack() == data


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "protocol", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


class TestParseHello:
    @pytest.mark.parametrize(
        "message",
        [
            None,
            [],
            "hello",
            1,
            {},
            {"type": "hello"},
            {"protocol": 1},
            {"type": "welcome", "protocol": 1},
            {"type": "hello", "protocol": "1"},
            {"type": "hello", "protocol": 1.0},
            {"type": "hello", "protocol": True},
            {"type": "hello", "protocol": None},
            {"type": ["hello"], "protocol": 1},
        ],
    )
    def test_refuses_anything_but_a_hello_with_a_whole_number(self, message: object) -> None:
        with pytest.raises(MalformedMessage, match="expected a hello"):
            messages.parse_hello(message)

    @pytest.mark.parametrize("protocol", [-1, 0, 1, 2**70])
    def test_takes_any_whole_number_and_leaves_the_rest_away(self, protocol: int) -> None:
        hello = messages.parse_hello({"type": "hello", "protocol": protocol, "more": {}})
        assert hello == {"type": "hello", "protocol": protocol}

    @given(json_values)
    def test_takes_or_refuses_any_json(self, message: object) -> None:
        try:
            hello = messages.parse_hello(json.loads(json.dumps(message)))
        except MalformedMessage:
            return
        assert set(hello) == {"type", "protocol"}


def test_every_close_code_has_an_error_of_the_same_name_in_the_range_for_applications() -> None:
    assert {code.name.lower() for code in CloseCode} == {code.value for code in ErrorCode}
    assert all(4000 <= code <= 4999 for code in CloseCode)
