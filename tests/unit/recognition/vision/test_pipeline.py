from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from recognition.vision import geometry, images, pipeline
from recognition.vision.alignment import Cut
from recognition.vision.errors import InvalidArray
from recognition.vision.model_packs import LandmarkView
from recognition.vision.pipeline import FacePipeline
from recognition.vision.types import BoundingBox, Size
from tests import faces, fakes
from tests.fakes import DIGEST, FakeDetector, FakeEmbedder


def with_fakes(detector: FakeDetector, embedder: FakeEmbedder | None = None, *views: LandmarkView) -> FacePipeline:
    return FacePipeline(
        pack_digest=DIGEST, detector=detector, embedder=embedder or FakeEmbedder(), landmark_views=views
    )


def frame(width: int = 640, height: int = 480) -> np.ndarray:
    return np.full((height, width, 3), 90, np.uint8)


class TestFind:
    def test_of_an_image_without_pixels_is_refused(self) -> None:
        with pytest.raises(InvalidArray):
            with_fakes(FakeDetector()).find(frame(0, 0))

    @pytest.mark.parametrize(
        ("size", "smallest_px", "coarser", "searched"),
        [
            (Size(64, 48), 24, True, [(64, 48)]),  # too small to be searched coarser
            (Size(640, 480), 24, False, [(640, 480)]),
            (Size(640, 480), 48, False, [(320, 240)]),  # a face of 48 px gets 24
            (Size(640, 480), 12, False, [(640, 480)]),  # enlarging finds nothing new
            (Size(640, 480), 24, True, [(640, 480), (320, 240), (160, 120)]),
            (Size(2560, 1280), 24, False, [(1280, 640)]),  # a large photo is searched smaller
        ],
    )
    def test_searches_at_scales_that_follow_the_face_size(
        self, size: Size, smallest_px: float, coarser: bool, searched: list[tuple[int, int]]
    ) -> None:
        detector = FakeDetector()
        with_fakes(detector).find(frame(size.width, size.height), smallest_face_px=smallest_px, coarser=coarser)
        assert [(image.shape[1], image.shape[0]) for image in detector.images] == searched

    def test_gives_pixels_of_the_image_whatever_scale_found_it(self) -> None:
        detector = FakeDetector(fakes.detected(BoundingBox(10, 20, 34, 44)))
        (face,) = with_fakes(detector).find(frame(), smallest_face_px=48, coarser=False)
        assert face.box == BoundingBox(20, 40, 68, 88)


class TestFindNear:
    @pytest.mark.parametrize(
        ("boxes", "searched"),
        [
            ([], []),
            ([BoundingBox(300, 200, 380, 300)], [(101, 126)]),  # a face of 100 px becomes one of 56
            ([BoundingBox(300, 200, 330, 240)], [(68, 90)]),  # a smaller one stays as it is
            ([BoundingBox(600, 440, 700, 540)], [(58, 58)]),  # what lies outside is not searched
            ([BoundingBox(0, 0, 56, 56), BoundingBox(500, 300, 556, 356)], [(91, 91), (126, 126)]),
        ],
    )
    def test_searches_around_each_box_alone(self, boxes: list[BoundingBox], searched: list[tuple[int, int]]) -> None:
        detector = FakeDetector()
        with_fakes(detector).find_near(frame(), boxes)
        sizes = [(image.shape[1], image.shape[0]) for image in detector.images]
        assert sizes == [pytest.approx(size, abs=1) for size in searched]

    def test_gives_pixels_of_the_image(self) -> None:
        detector = FakeDetector(fakes.detected(BoundingBox(35, 35, 91, 91)))
        (face,) = with_fakes(detector).find_near(frame(), [BoundingBox(200, 100, 312, 212)])
        assert dataclasses.astuple(face.box) == pytest.approx((200, 100, 312, 212), abs=1)

    def test_a_face_that_is_seen_around_two_boxes_is_one(self) -> None:
        box = BoundingBox(200, 100, 256, 156)
        pipeline = faces.default_pipeline()
        (where,) = pipeline.find(faces.astronaut())
        around = [where.box.transformed(scale=1, dx=by) for by in (-5, 5)]
        assert len(pipeline.find_near(faces.astronaut(), around)) == 1
        assert with_fakes(FakeDetector()).find_near(frame(), [box]) == ()

    def test_outside_of_the_image_is_refused(self) -> None:
        with pytest.raises(InvalidArray):
            with_fakes(FakeDetector()).find_near(frame(), [BoundingBox(700, 500, 720, 520)])

    @pytest.mark.parametrize("moved", [(0.0, 0.0), (0.5, 0.0), (-0.5, 0.0), (0.0, 0.4), (0.3, -0.3)])
    def test_a_real_face_that_moved_is_found_where_it_is(self, moved: tuple[float, float]) -> None:
        image, pipeline = faces.astronaut(), faces.default_pipeline()
        (everywhere,) = pipeline.find(image, smallest_face_px=48, coarser=False)
        width = everywhere.box.width
        before = everywhere.box.transformed(scale=1, dx=moved[0] * width, dy=moved[1] * width)
        near = max(pipeline.find_near(image, [before]), key=lambda face: face.box.iou(everywhere.box))
        assert near.box.iou(everywhere.box) > 0.8
        # Those of a search everywhere are not exact themselves: these are held against the ones it is embedded by.
        placed = pipeline.embed(image, [everywhere])[0].face.landmarks
        apart = np.linalg.norm(near.landmarks.points_xy - placed.points_xy, axis=1)
        assert apart.mean() < 0.15 * placed.inter_eye_distance


class TestEmbed:
    def test_of_no_face_runs_no_network(self) -> None:
        detector, embedder = FakeDetector(), FakeEmbedder()
        assert with_fakes(detector, embedder, LandmarkView(256, 2.5)).embed(frame(), []) == ()
        assert detector.images == []
        assert embedder.shapes == []

    def test_embeds_all_faces_of_an_image_in_one_batch_and_in_their_order(self) -> None:
        embedder = FakeEmbedder()
        found = [fakes.detected(fakes.box(x)) for x in (300, 10)]
        embedded = with_fakes(FakeDetector(), embedder).embed(frame(), found)
        assert [shape[0] for shape in embedder.shapes] == [2]
        assert [face.face.box for face in embedded] == [face.box for face in found]
        assert {face.embedding.pack_digest for face in embedded} == {DIGEST}

    def test_cuts_faces_out_as_the_embedder_takes_them(self) -> None:
        embedder = FakeEmbedder()
        found = [fakes.detected(BoundingBox(100, 100, 200, 200)), fakes.detected(BoundingBox(300, 100, 420, 220))]
        cutting = FacePipeline(
            pack_digest=DIGEST,
            detector=FakeDetector(),
            embedder=embedder,
            landmark_views=(),
            cut=Cut(side_px=96, margin=0.5),
        )
        cutting.dimension()
        cutting.embed(frame(), found)
        assert embedder.shapes == [(1, 96, 96, 3), (2, 96, 96, 3)]

    def test_gives_a_crop_that_people_can_look_at(self) -> None:
        (face,) = with_fakes(FakeDetector()).embed(frame(), [fakes.detected()])
        assert images.decode(face.crop_jpeg).shape == (pipeline.PROBE_CROP.side_px, pipeline.PROBE_CROP.side_px, 3)

    def test_keeps_the_landmarks_of_the_search_where_a_view_shows_no_face(self) -> None:
        face = fakes.detected()
        (embedded,) = with_fakes(FakeDetector(), None, LandmarkView(256, 2.5)).embed(frame(), [face])
        np.testing.assert_array_equal(embedded.face.landmarks.points_xy, face.landmarks.points_xy)

    @pytest.mark.parametrize(
        ("mirrored", "shift_px", "seen_at"),
        [
            # A box of 100 px in a view of 250 px with context 2.5 keeps its size, 75 px from each edge.
            (False, 0, (75, 75)),
            (True, 0, (75, 75)),
            # A square that is moved to the right and down shows the face further to the left and up.
            (False, 10, (65, 65)),
            (True, 10, (85, 65)),
        ],
    )
    def test_takes_the_landmarks_of_the_view_back_to_pixels_of_the_image(
        self, mirrored: bool, shift_px: int, seen_at: tuple[int, int]
    ) -> None:
        x, y = seen_at
        detector = FakeDetector(fakes.detected(BoundingBox(x, y, x + 100, y + 100)))
        face = fakes.detected(BoundingBox(200, 150, 300, 250))
        nowhere = dataclasses.replace(face, landmarks=fakes.detected(fakes.box(0, 0, 5)).landmarks)
        view = LandmarkView(250, 2.5, mirrored=mirrored, shift_px=shift_px)
        (embedded,) = with_fakes(detector, None, view).embed(frame(), [nowhere])
        # The template is not quite symmetric: mirroring moves its points by a pixel or two.
        np.testing.assert_allclose(
            embedded.face.landmarks.points_xy, face.landmarks.points_xy, atol=3 if mirrored else 0.01
        )

    def test_does_not_take_a_neighbours_landmarks(self) -> None:
        detector = FakeDetector(fakes.detected(BoundingBox(0, 0, 70, 70)))
        face = fakes.detected()
        (embedded,) = with_fakes(detector, None, LandmarkView(250, 2.5)).embed(frame(), [face])
        np.testing.assert_array_equal(embedded.face.landmarks.points_xy, face.landmarks.points_xy)


class TestWithTheDefaultPack:
    def test_finds_the_six_people_of_a_group(self) -> None:
        found = faces.default_pipeline().find(faces.group())
        assert len(found) == faces.PEOPLE_IN_GROUP

    def test_finds_a_face_that_fills_the_image(self) -> None:
        image = faces.close_up()
        (face,) = faces.default_pipeline().find(image)
        assert face.box.shorter_side > 0.6 * image.shape[0]

    def test_finds_a_face_that_fills_a_small_image(self) -> None:
        (face,) = faces.default_pipeline().find(faces.tom_hanks())
        assert face.box.visible_fraction(Size(112, 112)) > 0.8

    @pytest.mark.parametrize("level", [0, 127, 255])
    def test_finds_no_face_on_a_blank_image(self, level: int) -> None:
        assert faces.default_pipeline().find(np.full((480, 640, 3), level, np.uint8)) == ()

    @pytest.mark.parametrize("name", sorted(faces.textures()))
    def test_finds_no_face_in_a_texture(self, name: str) -> None:
        assert faces.default_pipeline().find(faces.textures()[name]) == ()

    @pytest.mark.parametrize("size", [(1, 1), (1, 640), (640, 1), (33, 31)])
    def test_takes_images_of_any_size(self, size: tuple[int, int]) -> None:
        assert faces.default_pipeline().find(np.zeros((*size, 3), np.uint8)) == ()

    def test_gives_a_person_the_same_vector_at_another_scale_and_in_another_light(self) -> None:
        image = faces.astronaut()
        halved = np.asarray(cv2.resize(image, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA), np.uint8)
        darker = np.asarray(image * 0.7, np.uint8)
        pipe = faces.default_pipeline()
        first, *others = (pipe.embed(view, pipe.find(view))[0].embedding for view in (image, halved, darker))
        assert all(first.similarity(other) > 0.8 for other in others)

    def test_gives_different_people_vectors_below_the_threshold(self) -> None:
        pipe = faces.default_pipeline()
        group = faces.group()
        vectors = [face.embedding for face in pipe.embed(group, pipe.find(group))]
        pairs = [(one, other) for number, one in enumerate(vectors) for other in vectors[:number]]
        assert max(one.similarity(other) for one, other in pairs) < 0.42

    def test_gives_the_same_vector_alone_and_in_a_batch(self) -> None:
        pipe = faces.default_pipeline()
        group = faces.group()
        found = pipe.find(group)[:3]
        together = pipe.embed(group, found)
        for face, batched in zip(found, together, strict=True):
            assert pipe.embed(group, [face])[0].embedding.similarity(batched.embedding) > 0.999

    def test_measures_the_same_quality_with_and_without_embedding(self) -> None:
        pipe = faces.default_pipeline()
        image = faces.astronaut()
        (face,) = pipe.find(image)
        cheap, full = pipe.measure(image, face), pipe.embed(image, [face])[0].quality
        assert cheap.face_size_px == full.face_size_px
        assert cheap.sharpness == pytest.approx(full.sharpness, rel=0.3)

    def test_says_what_runs_it_and_how_long_its_vectors_are(self) -> None:
        assert faces.default_pipeline().dimension() == 128
        assert "onnxruntime" in faces.default_pipeline().runtime


class TestTiltedFaces:
    @pytest.mark.parametrize("tilt", [45, 90, 165, 180, 240, 315])
    def test_keep_their_landmarks_and_vector_and_are_kept_upright(self, tilt: float) -> None:
        real = faces.default_pipeline()
        image = faces.astronaut()
        (upright,) = real.embed(image, real.find(image))
        turned = geometry.turned(image, -tilt)
        (face,) = real.embed(turned, real.find(turned, tilt_guess=0.0))

        assert face.embedding.similarity(upright.embedding) > 0.9
        turn = face.quality.roll_degrees - upright.quality.roll_degrees - tilt
        assert abs((turn + 180) % 360 - 180) < 5
        if tilt > 45:
            kept = images.decode(face.crop_jpeg)
            (again,) = real.embed(kept, real.find(kept))
            assert abs(again.quality.roll_degrees) < 20

    def test_upright_ones_are_the_same_whether_tilted_ones_are_wanted_or_not(self) -> None:
        real = faces.default_pipeline()
        # The portrait is tilted by some four degrees.
        upright = geometry.turned(faces.astronaut(), 4.0)
        (wanted,), (not_wanted,) = (real.find(upright, tilt_guess=guess) for guess in (0.0, None))
        assert wanted.box == not_wanted.box
        np.testing.assert_array_equal(wanted.landmarks.points_xy, not_wanted.landmarks.points_xy)


class TestLargeFaces:
    @pytest.mark.parametrize("factor", [4, 6])
    def test_get_nearly_the_vector_of_the_same_face_at_an_ordinary_size(self, factor: int) -> None:
        real = faces.default_pipeline()
        small = faces.astronaut()
        noise = np.random.default_rng(0).integers(-20, 21, (512 * factor, 512 * factor, 3))
        enlarged = cv2.resize(small, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        # Sensor noise of every pixel, which averages out only where all pixels are looked at.
        large = np.clip(enlarged + noise, 0, 255).astype(np.uint8)

        (of_small,) = real.embed(small, real.find(small))
        (of_large,) = real.embed(large, real.find(large))

        assert of_large.embedding.similarity(of_small.embedding) > 0.97
        assert of_large.face.box.width == pytest.approx(of_small.face.box.width * factor, rel=0.1)
