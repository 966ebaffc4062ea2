from __future__ import annotations

import dataclasses
import time

import cv2
import numpy as np
import pytest
from pytest_django import Settings

from recognition.decision.matching import CandidateList
from recognition.decision.standing import Bar
from recognition.models import DenyListEntry, ModelPack, Person
from recognition.selectors import packs
from recognition.services.frames import (
    SITE_WIDE,
    FrameOutcome,
    FrameStatus,
    FrameTask,
    SearchKind,
    SearchScope,
    TrackHint,
)
from recognition.vision import geometry
from recognition.vision.images import FRAME_LIMITS
from recognition.vision.pipeline import FacePipeline
from recognition.vision.types import BoundingBox
from recognition.worker import processing
from recognition.worker.engine import Engine
from tests import faces, fakes
from tests.fakes import FakeDetector, FakeEmbedder

pytestmark = pytest.mark.django_db


@pytest.fixture
def engine(default_pack: ModelPack) -> Engine:
    return Engine(packs.active(), faces.default_pipeline())


def analysed(
    engine: Engine, image: np.ndarray | bytes, *hints: TrackHint, scope: SearchScope = SITE_WIDE
) -> FrameOutcome:
    jpeg = image if isinstance(image, bytes) else faces.jpeg(image)
    return processing.process(FrameTask(jpeg, hints, time.monotonic(), scope), engine)


@pytest.fixture
def where(engine: Engine) -> BoundingBox:
    return analysed(engine, faces.astronaut()).faces[0].box


@pytest.mark.parametrize("jpeg", [b"", b"not a jpeg", faces.jpeg(faces.astronaut())[:200]])
def test_a_frame_that_is_no_image_is_an_outcome_too(engine: Engine, jpeg: bytes) -> None:
    outcome = analysed(engine, jpeg)
    assert (outcome.status, outcome.faces, outcome.active) == (FrameStatus.UNREADABLE, (), None)


@pytest.mark.parametrize(
    "jpeg",
    [faces.jpeg(np.zeros((1200, 1930, 3), np.uint8)), bytes(FRAME_LIMITS.max_bytes + 1)],
    ids=["pixels", "bytes"],
)
def test_a_frame_over_the_limits_is_not_decoded(engine: Engine, jpeg: bytes) -> None:
    assert analysed(engine, jpeg).status is FrameStatus.TOO_LARGE


def test_an_empty_frame_shows_nobody(engine: Engine) -> None:
    outcome = analysed(engine, np.zeros((480, 640, 3), np.uint8))
    assert (outcome.status, outcome.faces, outcome.active) == (FrameStatus.ANALYSED, (), engine.active)


def test_a_new_face_is_embedded_and_searched(engine: Engine) -> None:
    image = faces.astronaut()
    (enrolled,) = processing.photo(image, engine)
    ada = fakes.person("Eileen", enrolled.embedding)
    brighter = np.asarray(np.clip(image * 1.2, 0, 255), np.uint8)
    (seen,) = analysed(engine, brighter).faces
    assert (seen.track_id, seen.faults) == (None, ())
    assert seen.candidates is not None
    assert seen.candidates.best is not None
    assert seen.candidates.best.person_id == ada.pk
    assert seen.candidates.best.similarity > 0.8
    assert seen.crop_jpeg.startswith(b"\xff\xd8")


def test_somebody_else_is_below_the_threshold(engine: Engine) -> None:
    (enrolled,) = processing.photo(faces.astronaut(), engine)
    fakes.person("Eileen", enrolled.embedding)
    similarities = [
        face.candidates.best.similarity
        for face in analysed(engine, faces.group()).faces
        if face.candidates and face.candidates.best
    ]
    assert len(similarities) >= 4
    assert engine.active.policy is not None
    assert max(similarities) < engine.active.policy.identification_threshold


class TestTiltedFaces:
    @pytest.fixture
    def lying(self) -> np.ndarray:
        return geometry.turned(faces.astronaut(), -90)

    def test_are_found_in_photos(self, engine: Engine, lying: np.ndarray) -> None:
        (upright,) = processing.photo(faces.astronaut(), engine)
        (face,) = processing.photo(lying, engine)
        assert face.embedding.similarity(upright.embedding) > 0.9

    @pytest.mark.parametrize("wanted", [True, False])
    def test_are_found_in_frames_where_that_is_wanted(
        self, engine: Engine, lying: np.ndarray, settings: Settings, wanted: bool
    ) -> None:
        settings.FACEWEB_TILTED_FRAMES = wanted
        seen = analysed(engine, lying).faces
        assert [round(face.quality.roll_degrees, -1) for face in seen] == ([90] if wanted else [])
        assert all(face.candidates is not None for face in seen)

    def test_are_looked_for_at_the_last_angle_first(self, engine: Engine, settings: Settings) -> None:
        settings.FACEWEB_TILTED_FRAMES = True
        detector = FakeDetector(fakes.detected(fakes.box(side=90), score=0.95))
        upright_last, tilted_last = SITE_WIDE, SearchScope(tilt_degrees=80.0)
        pipeline = FacePipeline(
            pack_digest=engine.active.digest, detector=detector, embedder=FakeEmbedder(), landmark_views=()
        )
        looks = [
            processing.look(faces.jpeg(np.zeros((96, 192, 3), np.uint8)), scope, Engine(engine.active, pipeline))
            for scope in (upright_last, tilted_last)
        ]
        searched = [image for image in detector.images if image.shape[0] != image.shape[1]]
        # A face that is found at once is searched for once, whatever its angle.
        assert [image.shape[0] > image.shape[1] for image in searched] == [False, True]
        assert looks[0].terms != looks[1].terms


class TestHints:
    @pytest.mark.parametrize(
        ("due", "better_than", "embedded"),
        [(True, 9.0, True), (False, 9.0, False), (False, 0.01, True)],
        ids=["due", "not due", "not due but clearly better"],
    )
    def test_decide_whether_a_known_face_is_embedded(
        self, engine: Engine, where: BoundingBox, due: bool, better_than: float, embedded: bool
    ) -> None:
        (seen,) = analysed(engine, faces.astronaut(), TrackHint("7", where, due, better_than)).faces
        assert seen.track_id == "7"
        assert (seen.candidates is not None) is embedded
        assert bool(seen.crop_jpeg) is embedded

    def test_belong_to_the_face_where_they_were_last_seen(self, engine: Engine, where: BoundingBox) -> None:
        moved = where.transformed(scale=1, dx=where.width * 0.2)
        elsewhere = where.transformed(scale=1, dx=where.width * 3)
        hints = (TrackHint("far", elsewhere, False, 9), TrackHint("near", moved, False, 9))
        (seen,) = analysed(engine, faces.astronaut(), *hints).faces
        assert seen.track_id == "near"

    def test_of_a_face_that_left_are_not_used(self, engine: Engine, where: BoundingBox) -> None:
        elsewhere = where.transformed(scale=1, dx=where.width * 3)
        (seen,) = analysed(engine, faces.astronaut(), TrackHint("7", elsewhere, False, 9)).faces
        assert seen.track_id is None
        assert seen.candidates is not None


class TestAround:
    """Frames of which it is enough to look around the tracks."""

    def test_the_faces_of_the_tracks_are_found_there(self, engine: Engine, where: BoundingBox) -> None:
        outcome = analysed(engine, faces.astronaut(), TrackHint("7", where, False, 9), scope=SearchScope(near=(where,)))
        (seen,) = outcome.faces
        assert (seen.track_id, seen.candidates, outcome.everywhere) == ("7", None, False)
        assert seen.box.iou(where) > 0.8

    def test_somebody_else_there_has_all_of_the_frame_looked_at(self, engine: Engine) -> None:
        there = analysed(engine, faces.group()).faces
        hints = [TrackHint(str(number), face.box, False, 9) for number, face in enumerate(there)]
        around = max(there, key=lambda face: face.box.area).box.grown(2)
        outcome = analysed(engine, faces.group(), hints[0], scope=SearchScope(near=(around,)))
        assert outcome.everywhere
        assert len(outcome.faces) == len(there)

    def test_one_who_is_not_there_any_more_is_looked_for_everywhere(self, engine: Engine, where: BoundingBox) -> None:
        elsewhere = BoundingBox(0, 300, 100, 400)
        outcome = analysed(
            engine, faces.astronaut(), TrackHint("7", elsewhere, False, 9), scope=SearchScope(near=(elsewhere,))
        )
        (seen,) = outcome.faces
        assert (seen.track_id, outcome.everywhere) == (None, True)
        assert seen.box.iou(where) > 0.9
        assert seen.candidates is not None

    def test_a_box_of_a_larger_picture_is_no_error(self, engine: Engine) -> None:
        outside = BoundingBox(1800, 900, 1900, 1000)
        hint = TrackHint("7", outside, False, 9)
        assert analysed(engine, faces.astronaut(), hint, scope=SearchScope(near=(outside,))).everywhere

    def test_a_look_ahead_serves_only_where_it_is_wide_enough(self, engine: Engine, where: BoundingBox) -> None:
        jpeg, hints = faces.jpeg(faces.astronaut()), (TrackHint("7", where, False, 9),)
        near = SearchScope(near=(where,))
        around, everywhere = (processing.look(jpeg, scope, engine) for scope in (near, SITE_WIDE))
        for ahead, scope, is_used in (
            (around, near, True),
            (around, SITE_WIDE, False),
            (everywhere, near, True),
            (everywhere, SITE_WIDE, True),
        ):
            task = FrameTask(b"" if is_used else jpeg, hints, time.monotonic(), scope)
            outcome = processing.process(task, engine, ahead)
            assert outcome.status is FrameStatus.ANALYSED
            assert outcome.everywhere is (everywhere is ahead or scope is SITE_WIDE)


class TestClaims:
    @pytest.fixture
    def eileen(self, engine: Engine) -> Person:
        return fakes.person("Eileen", processing.photo(faces.astronaut(), engine)[0].embedding)

    def test_compare_with_the_claimed_person_alone_and_with_the_deny_list_apart(
        self, engine: Engine, eileen: Person
    ) -> None:
        somebody = fakes.person("Somebody", processing.photo(faces.group(), engine)[0].embedding)
        scope = SearchScope(kind=SearchKind.VERIFY, person_id=somebody.pk)
        (seen,) = analysed(engine, faces.astronaut(), scope=scope).faces
        assert seen.candidates is not None
        assert [candidate.person_id for candidate in seen.candidates.people] == [somebody.pk]
        assert seen.denied == CandidateList()
        DenyListEntry.objects.create(person=eileen, reason="a test")
        (seen,) = analysed(engine, faces.astronaut(), scope=scope).faces
        assert seen.denied is not None
        assert seen.denied.best is not None
        assert (seen.denied.best.person_id, seen.denied.best.barred) == (eileen.pk, Bar.DENY_LIST)

    def test_of_an_id_that_nobody_has_compare_with_nobody(self, engine: Engine, eileen: Person) -> None:
        (seen,) = analysed(engine, faces.astronaut(), scope=SearchScope(kind=SearchKind.VERIFY)).faces
        assert (seen.candidates, seen.denied) == (CandidateList(), CandidateList())

    def test_are_not_searched_on_the_live_page(self, engine: Engine, eileen: Person) -> None:
        (seen,) = analysed(engine, faces.astronaut()).faces
        assert seen.denied is None


def test_where_codes_are_read_faces_are_not(engine: Engine) -> None:
    image = faces.astronaut()
    code = cv2.resize(cv2.QRCodeEncoder.create().encode("4711"), (200, 200), interpolation=cv2.INTER_NEAREST)
    image[300:500, 300:500] = code[:, :, None]
    outcome = analysed(engine, image, scope=SearchScope(reads_codes=True))
    assert (outcome.status, outcome.codes, outcome.faces) == (FrameStatus.ANALYSED, ("4711",), ())
    assert analysed(engine, image).codes == ()


def test_a_face_that_passes_no_gate_is_not_embedded_and_says_why(engine: Engine) -> None:
    blurred = np.asarray(cv2.GaussianBlur(faces.astronaut(), (21, 21), 6), np.uint8)
    seen = analysed(engine, blurred).faces
    assert seen
    assert {fault.reason.value for fault in seen[0].faults} >= {"low_sharpness"}
    assert seen[0].candidates is None


def test_a_face_below_the_policys_size_is_not_embedded(engine: Engine) -> None:
    small = np.asarray(cv2.resize(faces.astronaut(), (200, 200), interpolation=cv2.INTER_AREA), np.uint8)
    canvas = np.full((480, 640, 3), 90, np.uint8)
    canvas[100:300, 100:300] = small
    assert all(face.candidates is None for face in analysed(engine, canvas).faces)


def test_a_pack_without_policy_still_shows_whom_a_face_is_like(engine: Engine) -> None:
    undecided = dataclasses.replace(engine, active=dataclasses.replace(engine.active, policy=None, policy_id=None))
    (seen,) = analysed(undecided, faces.astronaut()).faces
    assert seen.candidates is not None


def test_times_of_the_steps_add_up_to_the_workers(engine: Engine) -> None:
    timings = analysed(engine, faces.astronaut()).timings
    steps = timings.decode + timings.detect + timings.embed + timings.search
    assert 0 < steps <= timings.worker
    assert min(timings.decode, timings.detect, timings.embed, timings.search, timings.waited) >= 0


def test_a_photo_gives_every_face_the_largest_first(engine: Engine) -> None:
    found = processing.photo(faces.group(), engine)
    assert len(found) == faces.PEOPLE_IN_GROUP
    areas = [face.face.box.area for face in found]
    assert areas == sorted(areas, reverse=True)
    assert {face.embedding.pack_digest for face in found} == {engine.active.digest}


class TestAhead:
    def test_what_was_seen_ahead_is_not_looked_for_again(self, engine: Engine) -> None:
        nobody = processing.look(faces.jpeg(np.zeros((480, 640, 3), np.uint8)), SITE_WIDE, engine)
        outcome = processing.process(FrameTask(faces.jpeg(faces.astronaut()), (), 0.0), engine, nobody)
        assert (outcome.status, outcome.faces) == (FrameStatus.ANALYSED, ())

    @pytest.mark.parametrize("jpeg", [b"", bytes(FRAME_LIMITS.max_bytes + 1)])
    def test_what_is_no_frame_stays_none(self, engine: Engine, jpeg: bytes) -> None:
        ahead = processing.look(jpeg, SITE_WIDE, engine)
        outcome = processing.process(FrameTask(jpeg, (), 0.0), engine, ahead)
        assert outcome == dataclasses.replace(analysed(engine, jpeg), timings=outcome.timings)

    def test_on_other_terms_the_frame_is_looked_at_again(self, engine: Engine) -> None:
        jpeg = faces.jpeg(faces.astronaut())
        ahead = processing.look(jpeg, SearchScope(reads_codes=True), engine)
        assert len(processing.process(FrameTask(jpeg, (), 0.0), engine, ahead).faces) == 1

    def test_the_time_until_it_was_asked_about_is_no_time_of_the_worker(self, engine: Engine) -> None:
        jpeg = faces.jpeg(faces.astronaut())
        received_at = time.monotonic()
        ahead = processing.look(jpeg, SITE_WIDE, engine)
        # As if the frame before it had taken a minute.
        waited = dataclasses.replace(ahead, began_at=ahead.began_at - 60.0)
        timings = processing.process(FrameTask(jpeg, (), received_at - 60.0), engine, waited).timings
        assert timings.worker == pytest.approx(timings.decode + timings.detect + timings.embed + timings.search)
        assert timings.worker < 30_000.0
        assert timings.waited < 30_000.0
