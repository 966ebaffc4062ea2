from __future__ import annotations

import json
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.decision.transaction import Instruction
from recognition.live import checkpoint, checkpoint_messages
from recognition.live.checkpoint_messages import MAX_ID_CHARACTERS, MAX_PIN_CHARACTERS, Claimed
from recognition.live.messages import MalformedMessage
from recognition.models import Checkpoint

LONGEST = Claimed("4" * MAX_ID_CHARACTERS, "1" * MAX_PIN_CHARACTERS)


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        "cancel",
        {},
        {"type": "hello", "protocol": 1},  # a second one
        {"type": "claim"},
        {"type": "claim", "external_id": "4711"},
        {"type": "claim", "external_id": 4711, "pin": ""},
        {"type": "claim", "external_id": "4711", "pin": None},
        {"type": "claim", "external_id": "", "pin": ""},
        {"type": "claim", "external_id": "   ", "pin": ""},
        {"type": "claim", "external_id": "47\x0011", "pin": ""},
        {"type": "claim", "external_id": "4711", "pin": "12\x0034"},
        {"type": "claim", "external_id": "4" * (MAX_ID_CHARACTERS + 1), "pin": ""},
        {"type": "claim", "external_id": "4711", "pin": "1" * (MAX_PIN_CHARACTERS + 1)},
    ],
)
def test_refuses_what_the_protocol_does_not_allow(message: object) -> None:
    with pytest.raises(MalformedMessage, match="expected"):
        checkpoint_messages.parse(message)


@pytest.mark.parametrize(
    ("message", "parsed"),
    [
        ({"type": "claim", "external_id": "4711", "pin": ""}, Claimed("4711", "")),
        ({"type": "claim", "external_id": " B-7 ", "pin": "1234"}, Claimed("B-7", "1234")),
        ({"type": "claim", "external_id": "4" * MAX_ID_CHARACTERS, "pin": "1" * MAX_PIN_CHARACTERS}, LONGEST),
        ({"type": "enter_id"}, "enter_id"),
        ({"type": "cancel", "more": 1}, "cancel"),
    ],
)
def test_reads_what_it_allows(message: object, parsed: object) -> None:
    assert checkpoint_messages.parse(message) == parsed


def test_neither_id_nor_pin_is_repeated_where_it_could_be_logged() -> None:
    assert "1234" not in repr(Claimed("4711", "1234"))
    with pytest.raises(MalformedMessage) as raised:
        checkpoint_messages.parse({"type": "claim", "external_id": "4711\n", "pin": "secret\n"})
    assert "secret" not in str(raised.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["type", "external_id", "pin", "x"]), inner, max_size=4)
        ),
        max_leaves=6,
    )
)
def test_takes_or_refuses_any_json(message: object) -> None:
    try:
        parsed = checkpoint_messages.parse(json.loads(json.dumps(message)))
    except MalformedMessage:
        return
    assert parsed in ("enter_id", "cancel") or isinstance(parsed, Claimed)


def test_its_words_are_those_of_what_they_name() -> None:
    words = checkpoint_messages
    assert set(typing.get_args(words.Phase)) == {phase.value for phase in checkpoint.Phase}
    assert set(typing.get_args(words.Mode)) == {mode.value for mode in checkpoint.Mode} == set(Checkpoint.Mode.values)
    instructions = {instruction.value for instruction in Instruction}
    assert set(typing.get_args(words.Instruction)) == {"", checkpoint.STEP_AWAY} | instructions
