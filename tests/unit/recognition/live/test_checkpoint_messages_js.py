"""The two sides of the checkpoint protocol, `checkpoint_messages.py` and `kiosk/messages.js`, say the same."""

from __future__ import annotations

import typing
from pathlib import Path

import pytest

from recognition.live import checkpoint_messages as messages
from tests import contract

SOURCE = (Path(__file__).parents[4] / "static" / "js" / "kiosk" / "messages.js").read_text(encoding="utf-8")

SHAPES = sorted(
    (value for value in vars(messages).values() if typing.is_typeddict(value)), key=lambda shape: shape.__name__
)
CLOSED_SETS = {
    "Mode": messages.Mode,
    "Phase": messages.Phase,
    "Instruction": messages.Instruction,
    "Outcome": messages.Outcome,
    "Sentence": messages.Sentence,
}
ALIASES = {literal: name for name, literal in CLOSED_SETS.items()}


def test_has_the_same_shapes() -> None:
    shapes = {shape.__name__: contract.fields_of(shape, ALIASES) for shape in SHAPES}
    assert contract.read(SOURCE)["shapes"] == shapes


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_documents_each_shape_as_it_is(shape: type) -> None:
    assert contract.documented(SOURCE, shape.__name__) == contract.fields_of(shape, ALIASES)


def test_has_the_same_closed_sets() -> None:
    words = {name: list(typing.get_args(literal)) for name, literal in CLOSED_SETS.items()}
    assert contract.read(SOURCE)["closed_sets"] == words


def test_has_the_same_server_messages_codes_and_numbers() -> None:
    said = contract.read(SOURCE)
    assert said["server_messages"] == [shape.__name__ for shape in typing.get_args(messages.ServerMessage)]
    assert said["notice_codes"] == {code.name: code.value for code in messages.NoticeCode}
    assert said["version"] == messages.PROTOCOL_VERSION
    assert said["max_id_characters"] == messages.MAX_ID_CHARACTERS
    assert said["max_pin_characters"] == messages.MAX_PIN_CHARACTERS
