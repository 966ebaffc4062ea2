"""Frames, photos and answers survive the way through bytes, and nothing else is taken for one."""

from __future__ import annotations

import dataclasses

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.decision.matching import Candidate, CandidateList, Objection, Strategy
from recognition.decision.policy import Policy, QualityFault, SampleReason
from recognition.decision.standing import Bar
from recognition.selectors.packs import ActivePack
from recognition.services import wire
from recognition.services.frames import (
    FrameOutcome,
    FrameStatus,
    FrameTimings,
    SearchKind,
    SearchScope,
    SeenFace,
    TrackHint,
)
from recognition.services.wire import Ahead, PhotoOutcome, PhotoStatus, Reply, Request, WireError
from recognition.vision.types import BoundingBox, DetectedFace, EmbeddedFace, Embedding, Landmarks, Quality
from tests import fakes

BOX = BoundingBox(1.5, 2.0, 30.0, 40.0)
QUALITY = Quality(28.5, 12.0, 0.9, 210.0, 0.5, 3.0, -4.0, 0.5, 1.0)
SCORED = dataclasses.replace(QUALITY, scores=fakes.scores(head_pose_yaw=7))
BANNED = Candidate(3, "B", 4, 0.8, Bar.DENY_LIST)
POLICY = Policy(
    version=7,
    identification_threshold=0.47,
    verification_threshold=0.42,
    strategy=Strategy.K_NEAREST,
    requires_pin=True,
    attempts_before_delay=3,
)


def active(policy: Policy | None) -> ActivePack:
    return ActivePack(3, "opencv-zoo", "d" * 64, 128, "", None if policy is None else 9, policy)


@pytest.mark.parametrize(
    "frame",
    [
        (),
        (TrackHint("1", BOX, due=True, better_than=0.0),),
        None,  # a photo
    ],
)
def test_a_request_comes_back_as_it_went(frame: tuple[TrackHint, ...] | None) -> None:
    request = Request("a", "replies", 12.5, frame, b"\xff\xd8jpeg")

    assert wire.decode_request(wire.encode(request)) == request


@pytest.mark.parametrize(
    "scope",
    [
        SearchScope(),
        SearchScope(checkpoint_id=3, kind=SearchKind.VERIFY, person_id=8),
        SearchScope(checkpoint_id=3, kind=SearchKind.VERIFY),
        SearchScope(checkpoint_id=3, reads_codes=True),
        SearchScope(near=(BoundingBox(1, 2, 30, 40), BoundingBox(-5.5, 0, 10, 20.25))),
        SearchScope(tilt_degrees=-92.5),
    ],
)
def test_a_frame_keeps_what_it_is_looked_at_for(scope: SearchScope) -> None:
    request = Request("a", "replies", 12.5, (), b"\xff\xd8jpeg", scope)

    came = wire.decode_request(wire.encode(request))

    assert came.task(7.0).scope == scope


def test_what_comes_on_a_lane_is_a_frame_to_look_at_or_a_request() -> None:
    ahead = Ahead(b"\xff\xd8jpeg", SearchScope(checkpoint_id=3, kind=SearchKind.VERIFY, person_id=8))
    request = Request("", "", 0.0, (), b"", was_ahead=True)

    assert wire.decode_lane_message(wire.encode(ahead)) == ahead
    assert wire.decode_lane_message(wire.encode(request)) == request


@pytest.mark.parametrize(
    "outcome",
    [
        FrameOutcome(FrameStatus.FAILED),
        FrameOutcome(FrameStatus.ANALYSED, (), active(None), "openvino", FrameTimings(worker=3.0)),
        FrameOutcome(
            FrameStatus.ANALYSED,
            (
                SeenFace(None, BOX, QUALITY, (QualityFault(SampleReason.TOO_DARK, 0.1, 0.12),), None, b""),
                SeenFace("4", BOX, SCORED, (), CandidateList(), b"crop"),
                SeenFace(
                    "5",
                    BOX,
                    QUALITY,
                    (),
                    CandidateList((Candidate(1, "Ä", 2, 0.9), Candidate(3, "B", 4, 0.5, Bar.DENY_LIST))),
                    b"crop",
                ),
            ),
            active(POLICY),
        ),
        PhotoOutcome(PhotoStatus.UNREADABLE),
    ],
)
def test_a_reply_comes_back_as_it_went(outcome: FrameOutcome | PhotoOutcome) -> None:
    assert wire.decode_reply(wire.encode(Reply("a", outcome))) == Reply("a", outcome)


@pytest.mark.parametrize("packed", [b"", b"\xc1", b"\x92\x01", msgpack.packb({}), msgpack.packb([1])])
def test_a_reply_with_a_damaged_pack_is_refused(packed: bytes) -> None:
    reply = msgpack.unpackb(wire.encode(Reply("a", FrameOutcome(FrameStatus.ANALYSED, (), active(POLICY)))))
    reply["outcome"]["active"] = packed

    with pytest.raises(WireError):
        wire.decode_reply(msgpack.packb(reply))


def test_enumerations_come_back_as_themselves() -> None:
    candidates = CandidateList((Candidate(1, "", 2, 0.9, Bar.SUSPENDED),), Objection.NOT_LEARNED)
    sent = FrameOutcome(FrameStatus.ANALYSED, (SeenFace(None, BOX, QUALITY, (), candidates, b""),), active(POLICY))

    outcome = wire.decode_reply(wire.encode(Reply("a", sent))).outcome

    assert isinstance(outcome, FrameOutcome)
    assert outcome.active is not None
    assert outcome.active.policy is not None
    assert outcome.active.policy.strategy is Strategy.K_NEAREST
    assert outcome.faces[0].candidates is not None
    assert outcome.faces[0].candidates.people[0].barred is Bar.SUSPENDED
    assert outcome.faces[0].candidates.objection is Objection.NOT_LEARNED


def test_an_embedded_face_keeps_its_vector_and_pack() -> None:
    embedding = Embedding.from_raw(np.arange(1, 5, dtype=np.float32), "d" * 64)
    landmarks = Landmarks(np.arange(10, dtype=np.float32).reshape(5, 2))
    face = EmbeddedFace(DetectedFace(BOX, landmarks, 0.75, tilt_degrees=-90.0), SCORED, embedding, b"crop")

    reply = wire.decode_reply(wire.encode(Reply("a", PhotoOutcome(PhotoStatus.ANALYSED, (face,)))))

    assert isinstance(reply.outcome, PhotoOutcome)
    came = reply.outcome.faces[0]
    assert came.embedding.similarity(embedding) == pytest.approx(1.0)
    assert (came.face.landmarks.points_xy == landmarks.points_xy).all()
    assert (came.face.box, came.face.score, came.quality, came.crop_jpeg) == (BOX, 0.75, SCORED, b"crop")


@given(st.binary(max_size=200))
def test_noise_is_refused(data: bytes) -> None:
    for decode in (wire.decode_request, wire.decode_reply):
        with pytest.raises(WireError):
            decode(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_other_messages_are_refused(message: object) -> None:
    for decode in (wire.decode_request, wire.decode_reply):
        with pytest.raises(WireError):
            decode(msgpack.packb(message))
