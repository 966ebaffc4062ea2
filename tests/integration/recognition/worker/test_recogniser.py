from __future__ import annotations

import logging
import time

import numpy as np
import pytest
from django.db import OperationalError, connection
from django.db.backends.signals import connection_created

from recognition.models import ModelPack
from recognition.services.frames import SITE_WIDE, FrameOutcome, FrameStatus, FrameTask
from recognition.services.wire import Ahead, PhotoOutcome, PhotoStatus, Request
from recognition.vision.errors import UnreadableImage
from recognition.worker import processing, recogniser
from recognition.worker.engine import Engine
from recognition.worker.processing import Look
from recognition.worker.recogniser import Recogniser
from tests import faces

pytestmark = pytest.mark.django_db(transaction=True)


def frame() -> FrameTask:
    return FrameTask(faces.jpeg(faces.astronaut()), (), time.monotonic())


class TestFrame:
    def test_is_analysed_with_the_active_pack(self, default_pack: ModelPack) -> None:
        outcome = Recogniser().frame(frame())
        assert outcome.status is FrameStatus.ANALYSED
        assert outcome.active is not None
        assert outcome.active.digest == default_pack.digest
        assert len(outcome.faces) == 1

    def test_fails_without_an_active_pack_and_the_next_one_may_not(
        self, small_runtime: None, request: pytest.FixtureRequest
    ) -> None:
        recogniser = Recogniser()
        assert recogniser.frame(frame()).status is FrameStatus.FAILED
        request.getfixturevalue("default_pack")
        assert recogniser.frame(frame()).status is FrameStatus.ANALYSED

    def test_fails_at_whatever_is_raised(
        self, default_pack: ModelPack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def raising(_task: FrameTask, _engine: Engine, _look: Look | None) -> None:
            raise RuntimeError("the network is broken")

        monkeypatch.setattr(processing, "process", raising)
        with caplog.at_level(logging.ERROR):
            assert Recogniser().frame(frame()).status is FrameStatus.FAILED
        assert "a frame could not be analysed" in caplog.text

    def test_looked_at_ahead_is_the_same_frame(self, default_pack: ModelPack) -> None:
        recogniser = Recogniser()
        (at_once,) = recogniser.frame(frame()).faces
        look = recogniser.look_ahead(Ahead(frame().jpeg, SITE_WIDE))
        request = Request("a", "", 0.0, (), frame().jpeg)
        outcome = recogniser.answer(request, look)
        assert isinstance(outcome, FrameOutcome)
        assert outcome.faces == (at_once,)
        assert outcome.timings.detect > 0

    def test_that_cannot_be_looked_at_ahead_is_met_when_it_is_asked_about(
        self, small_runtime: None, request: pytest.FixtureRequest
    ) -> None:
        recogniser = Recogniser()
        assert recogniser.look_ahead(Ahead(frame().jpeg, SITE_WIDE)) is None
        request.getfixturevalue("default_pack")
        assert recogniser.frame(frame(), None).status is FrameStatus.ANALYSED


class TestPhoto:
    def test_gives_every_face(self, default_pack: ModelPack) -> None:
        outcome = Recogniser().photo(faces.jpeg(faces.group()))
        assert outcome.status is PhotoStatus.ANALYSED
        assert len(outcome.faces) == faces.PEOPLE_IN_GROUP

    @pytest.mark.parametrize(
        ("data", "status"),
        [
            (b"no image", PhotoStatus.UNREADABLE),
            (faces.jpeg(faces.astronaut())[:600], PhotoStatus.UNREADABLE),
        ],
        ids=["no image", "damaged"],
    )
    def test_that_is_none_says_so(self, default_pack: ModelPack, data: bytes, status: PhotoStatus) -> None:
        assert Recogniser().photo(data) == PhotoOutcome(status)

    def test_fails_without_an_active_pack(self, small_runtime: None) -> None:
        assert Recogniser().photo(faces.jpeg(faces.astronaut())) == PhotoOutcome(PhotoStatus.FAILED)

    def test_raises_its_error_for_a_caller_in_the_same_process(self, default_pack: ModelPack) -> None:
        with pytest.raises(UnreadableImage):
            Recogniser().analyse(b"no image")
        with pytest.raises(UnreadableImage):
            Recogniser().analyse(faces.jpeg(faces.astronaut())[:600])
        assert Recogniser().analyse(faces.jpeg(np.zeros((50, 50, 3), np.uint8))) == ()


def test_a_request_is_answered_by_what_it_asks_for(default_pack: ModelPack) -> None:
    jpeg = faces.jpeg(faces.astronaut())
    recogniser = Recogniser()
    as_photo, as_frame = (recogniser.answer(Request("", "", 0.0, hints, jpeg)) for hints in (None, ()))
    assert as_photo.status is PhotoStatus.ANALYSED
    assert as_frame.status is FrameStatus.ANALYSED


def test_starting_activates_the_default_pack_and_knows_its_runtime(small_runtime: None) -> None:
    started = recogniser.start()
    pack = ModelPack.objects.get(is_active=True)
    assert (pack.name, pack.dimension, pack.decides) == ("opencv-zoo", 128, True)
    assert started.runtime.startswith("onnxruntime")


class TestDatabaseAway:
    def test_a_frame_that_nobody_can_search_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        connection.close()
        monkeypatch.setitem(connection.settings_dict, "PORT", "1")
        assert Recogniser().frame(frame()).status is FrameStatus.NO_DATABASE

    def test_a_statement_ends_when_nobody_waits_for_it_any_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(recogniser, "STATEMENT_TIMEOUT_MS", 50)
        connection.close()
        recogniser.limit_statements()
        try:
            with pytest.raises(OperationalError, match="statement timeout"), connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(10)")
        finally:
            connection_created.disconnect(recogniser._limit_statements)
            connection.close()
