"""The two sides of the live protocol, `messages.py` and `messages.js`, say the same."""

from __future__ import annotations

import shutil
import subprocess
import typing
from pathlib import Path
from typing import Any

import pytest

from recognition.live import messages
from tests import contract

SCRIPTS = Path(__file__).parents[4] / "static" / "js"
SOURCE = (SCRIPTS / "messages.js").read_text(encoding="utf-8")

SHAPES = [
    messages.Hello,
    messages.Welcome,
    messages.Box,
    messages.Person,
    messages.Face,
    messages.Timings,
    messages.Result,
    messages.Decision,
    messages.Notice,
    messages.Alert,
    messages.Error,
]
ALIASES = {messages.FaceState: "FaceState", messages.Advice: "Advice"}


def test_every_shape_is_compared() -> None:
    in_module = {value for value in vars(messages).values() if typing.is_typeddict(value)}
    assert in_module == set(SHAPES)


def test_has_the_same_shapes() -> None:
    assert contract.read(SOURCE)["shapes"] == {shape.__name__: contract.fields_of(shape, ALIASES) for shape in SHAPES}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_documents_each_shape_as_it_is(shape: type) -> None:
    assert contract.documented(SOURCE, shape.__name__) == contract.fields_of(shape, ALIASES)


def test_has_the_same_server_messages() -> None:
    assert contract.read(SOURCE)["server_messages"] == [
        shape.__name__ for shape in typing.get_args(messages.ServerMessage)
    ]


@pytest.mark.parametrize(
    ("table", "enum"),
    [
        ("close_codes", messages.CloseCode),
        ("error_codes", messages.ErrorCode),
        ("notice_codes", messages.NoticeCode),
    ],
)
def test_has_the_same_codes(table: str, enum: Any) -> None:
    assert contract.read(SOURCE)[table] == {member.name: member.value for member in enum}


@pytest.mark.parametrize(("table", "literal"), [("face_states", messages.FaceState), ("advice", messages.Advice)])
def test_has_the_same_closed_sets(table: str, literal: Any) -> None:
    assert tuple(contract.read(SOURCE)[table]) == typing.get_args(literal)


def test_has_the_same_numbers() -> None:
    assert contract.read(SOURCE)["version"] == messages.PROTOCOL_VERSION
    assert contract.read(SOURCE)["max_window"] == messages.MAX_WINDOW
    assert contract.read(SOURCE)["frame_header"] == messages.FRAME_HEADER.format


def test_python_reads_the_header_that_javascript_writes(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the page's side cannot be run")
    shutil.copytree(SCRIPTS, tmp_path / "js")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    script = tmp_path / "header.js"
    script.write_text(
        'import { frameHeader } from "./js/wire.js";\n'
        'process.stdout.write(Buffer.from(frameHeader(4294967295, 1234.5678, 12.5)).toString("hex"));\n'
    )
    output = subprocess.run([node, str(script)], capture_output=True, text=True, check=True, timeout=30).stdout
    frame = messages.CameraFrame.parse(bytes.fromhex(output) + b"jpeg")
    assert frame == messages.CameraFrame(4294967295, 1234.5678, 12_500, b"jpeg")
