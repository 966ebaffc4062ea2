from __future__ import annotations

import dataclasses
import json
import typing

import pytest

from recognition.decision.standing import Bar
from recognition.decision.verdict import Decision, Reason, TransactionReason
from recognition.live import checkpoint_messages, checkpoint_rendering
from recognition.live.checkpoint import Phase, View
from recognition.live.messages import Trouble
from recognition.models import Checkpoint
from recognition.selectors.checkpoints import CheckpointView
from recognition.selectors.packs import GalleryState
from recognition.services.transactions import Concluded
from tests import fakes

DOOR = CheckpointView(
    id=5,
    slug="north",
    name="North gate",
    place="Ground floor",
    mode=Checkpoint.Mode.BOTH,
    is_active=True,
    admits_groups=None,
    requires_pin=True,
    has_action=False,
)


def concluded(decision: Decision, *codes: str, name: str | None = None, locked_for_s: float | None = None) -> Concluded:
    return Concluded(1, decision, tuple(Reason(code) for code in codes), name, locked_for_s)


@pytest.mark.parametrize(
    ("decision", "codes", "of_a_face", "of_a_claim"),
    [
        (Decision.ACCEPT, [], "welcome", "welcome"),
        (Decision.REJECT_NO_MATCH, [TransactionReason.BELOW_THRESHOLD], "not_recognised", "not_confirmed"),
        (Decision.REJECT_NO_MATCH, [TransactionReason.CLAIM_UNKNOWN], "not_recognised", "not_confirmed"),
        (Decision.REJECT_NO_MATCH, [TransactionReason.PIN_WRONG], "not_recognised", "not_confirmed"),
        (Decision.REJECT_NO_MATCH, [TransactionReason.PIN_NOT_SET], "not_recognised", "not_confirmed"),
        (Decision.REJECT_AMBIGUOUS, [TransactionReason.MARGIN_TOO_SMALL], "not_recognised", "not_confirmed"),
        (Decision.REJECT_NOT_ALLOWED, [Bar.DENY_LIST], "not_recognised", "not_confirmed"),
        (Decision.REJECT_NOT_ALLOWED, [Bar.DENY_LIST, Bar.SUSPENDED], "not_recognised", "not_confirmed"),
        (Decision.REJECT_NOT_ALLOWED, [Bar.SUSPENDED], "not_allowed", "not_allowed"),
        (Decision.REJECT_NOT_ALLOWED, [Bar.WRONG_GROUP], "not_allowed", "not_allowed"),
        (Decision.REJECT_NOT_ALLOWED, [Bar.NO_LONGER_VALID], "not_allowed", "not_allowed"),
        (Decision.REJECT_PAD, [], "not_recognised", "not_confirmed"),
        (Decision.NO_DECISION_QUALITY, [], "not_seen_well", "not_seen_well"),
        (Decision.NO_DECISION_MULTIPLE_FACES, [], "several_people", "several_people"),
        (Decision.NO_DECISION_TIMEOUT, [], "time_up", "time_up"),
        (Decision.LOCKED_OUT, [TransactionReason.LOCKED_UNTIL], "locked_out", "locked_out"),
        (Decision.ERROR, [], "error", "error"),
    ],
)
def test_a_decision_is_said_so_that_a_stranger_learns_nothing_of_others(
    decision: Decision, codes: list[str], of_a_face: str, of_a_claim: str
) -> None:
    stored = concluded(decision, *codes)
    assert checkpoint_rendering.conclusion(stored, is_claim=False)["sentence"] == of_a_face
    assert checkpoint_rendering.conclusion(stored, is_claim=True)["sentence"] == of_a_claim


def test_unknown_id_wrong_pin_wrong_face_and_deny_list_look_exactly_alike() -> None:
    alike = [
        concluded(Decision.REJECT_NO_MATCH, TransactionReason.CLAIM_UNKNOWN),
        concluded(Decision.REJECT_NO_MATCH, TransactionReason.PIN_WRONG),
        concluded(Decision.REJECT_NO_MATCH, TransactionReason.BELOW_THRESHOLD, TransactionReason.PIN_WRONG),
        concluded(Decision.REJECT_NOT_ALLOWED, Bar.DENY_LIST),
    ]
    said = {json.dumps(checkpoint_rendering.conclusion(stored, is_claim=True)) for stored in alike}
    assert len(said) == 1


@pytest.mark.parametrize("decision", list(Decision))
def test_only_who_is_accepted_is_named_and_only_a_lock_has_a_time(decision: Decision) -> None:
    said = checkpoint_rendering.conclusion(concluded(decision, name="Ada", locked_for_s=30.0), is_claim=True)
    assert (said["person"] == "Ada") is (decision is Decision.ACCEPT)
    assert (said["locked_for_s"] == 30.0) is (decision is Decision.LOCKED_OUT)
    assert said["outcome"] in typing.get_args(checkpoint_messages.Outcome)
    assert said["sentence"] in typing.get_args(checkpoint_messages.Sentence)
    assert (said["outcome"] == "accepted") is (decision is Decision.ACCEPT)


def test_what_could_not_be_stored_accepts_nobody() -> None:
    said = checkpoint_rendering.failure()
    assert (said["outcome"], said["person"]) == ("error", None)


def test_a_view_is_said_as_it_is() -> None:
    view = View(Phase.LOOKING, "come_closer", 1 / 3, 7, reads_codes=False)
    assert checkpoint_rendering.state(view) == {
        "type": "state",
        "phase": "looking",
        "instruction": "come_closer",
        "progress": 0.33,
        "seconds_left": 7,
        "reads_codes": False,
    }


def test_a_welcome_names_the_checkpoint_and_what_it_asks_for() -> None:
    said = checkpoint_rendering.welcome(DOOR, window=2)
    assert (said["name"], said["place"], said["mode"], said["needs_pin"]) == (
        "North gate",
        "Ground floor",
        "both",
        True,
    )
    assert (said["protocol"], said["window"]) == (checkpoint_messages.PROTOCOL_VERSION, 2)


@pytest.mark.parametrize(
    ("is_active", "trouble", "decides", "gallery", "code"),
    [
        (True, "", True, GalleryState(1, 1, 0), "ready"),
        (True, "", True, GalleryState(0, 0, 0), "gallery_empty"),
        (True, "", True, GalleryState(0, 0, 1), "needs_reembedding"),
        (True, "", False, GalleryState(0, 0, 1), "pack_without_thresholds"),
        (True, "worker_unavailable", False, GalleryState(0, 0, 1), "worker_unavailable"),
        (True, "database_unavailable", False, GalleryState(0, 0, 1), "database_unavailable"),
        (False, "worker_unavailable", False, GalleryState(0, 0, 1), "out_of_use"),
    ],
)
def test_the_gravest_state_of_the_installation_is_told(
    is_active: bool, trouble: Trouble, decides: bool, gallery: GalleryState, code: str
) -> None:
    checkpoint = dataclasses.replace(DOOR, is_active=is_active)
    said = checkpoint_rendering.notice(checkpoint, fakes.active_pack(decides=decides), gallery, trouble=trouble)
    assert said == {"type": "notice", "code": code}
