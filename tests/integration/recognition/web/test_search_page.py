"""The search page: a photo in, ranked people out."""

from __future__ import annotations

import dataclasses
from typing import NoReturn

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from recognition.decision.matching import Candidate
from recognition.decision.policy import QualityFault, SampleReason
from recognition.decision.verdict import Decision
from recognition.services import analysis, search
from recognition.vision.errors import UnreadableImage
from recognition.vision.types import BoundingBox, Quality

pytestmark = pytest.mark.django_db

QUALITY = Quality(
    face_size_px=120.0,
    inter_eye_distance_px=55.0,
    detection_score=0.9,
    sharpness=200.0,
    luminance_mean=0.5,
    yaw_degrees=0.0,
    pitch_degrees=0.0,
    roll_degrees=0.0,
    visible_fraction=1.0,
)
ADA = Candidate(person_id=1, person_name="Ada <Lovelace>", sample_id=11, similarity=0.6231)
GRACE = Candidate(person_id=2, person_name="Grace Hopper", sample_id=22, similarity=0.4119)


def face(decision: Decision | None, *candidates: Candidate) -> search.FaceMatches:
    return search.FaceMatches(
        box=BoundingBox(10.0, 10.0, 130.0, 130.0),
        quality=QUALITY,
        crop_jpeg=b"\xff\xd8crop",
        candidates=candidates,
        margin=candidates[0].similarity - candidates[1].similarity if len(candidates) > 1 else None,
        decision=decision,
    )


def found(*faces: search.FaceMatches, threshold: float | None = 0.475, stale: bool = False) -> search.PhotoSearch:
    return search.PhotoSearch(
        faces=faces,
        pack_name="opencv-zoo",
        policy_version=None if threshold is None else 3,
        threshold=threshold,
        needs_reembedding=stale,
    )


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("grace"))
    return client


def shown_for(result: search.PhotoSearch, client: Client, monkeypatch: pytest.MonkeyPatch) -> str:
    """The page after a search that found this; what is found is the business of the service's own tests."""
    monkeypatch.setattr(search, "search_photo", lambda *, image: result)
    response = client.post("/search/", {"photo": SimpleUploadedFile("photo.jpg", b"a photo")})
    assert response.status_code == 200
    return response.content.decode()


def test_shows_candidates_with_their_raw_similarity(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = shown_for(found(face(Decision.ACCEPT, ADA, GRACE)), client, monkeypatch)
    assert "0.623" in shown
    assert "0.412" in shown
    assert "margin to the next person 0.211" in shown
    assert "%" not in shown.split('id="results"')[1]
    assert shown.count('data-verdict="over"') == 1
    assert shown.count('data-verdict="below"') == 1
    assert 'src="/samples/11/image/"' in shown
    assert 'src="data:image/jpeg;base64,/9hjcm9w"' in shown


def test_escapes_names(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = shown_for(found(face(Decision.ACCEPT, ADA)), client, monkeypatch)
    assert "Ada &lt;Lovelace&gt;" in shown
    assert "<Lovelace>" not in shown


@pytest.mark.parametrize(
    ("decision", "sentence"),
    [(Decision.REJECT_NO_MATCH, "Unknown"), (Decision.REJECT_AMBIGUOUS, "Too close between two people")],
)
def test_says_when_nobody_is_recognised(
    decision: Decision, sentence: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = shown_for(found(face(decision, ADA, GRACE)), client, monkeypatch)
    assert f"? {sentence}" in shown
    assert "✓ Ada" not in shown


def test_decides_nothing_without_thresholds(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = shown_for(found(face(None, ADA), threshold=None), client, monkeypatch)
    assert "no measured thresholds" in shown
    assert 'data-verdict="open"' in shown
    assert "threshold</span>" not in shown


def test_says_of_which_face_little_can_be_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    good = face(Decision.ACCEPT, ADA)
    blurred = dataclasses.replace(good, faults=(QualityFault(SampleReason.LOW_SHARPNESS, 2.0, 20.0),))
    first, second = shown_for(found(good, blurred), client, monkeypatch).split("<article")[1:]
    assert "Too poor" not in first
    assert "Too poor to rely on. The face is blurred: sharpness 2, needs 20. Hold still." in second


def test_says_that_the_gallery_needs_re_embedding(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "must be re-embedded" in shown_for(found(stale=True), client, monkeypatch)


def test_says_that_no_face_was_found(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No face was found" in shown_for(found(), client, monkeypatch)


def test_says_that_nobody_is_enrolled(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Nobody enrolled" in shown_for(found(face(Decision.REJECT_NO_MATCH)), client, monkeypatch)


class Refusing:
    """An analyser that can read nothing, or that is not there."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def analyse(self, data: bytes) -> NoReturn:
        raise self._error


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (UnreadableImage(), 422, "This is not an image that can be read"),
        (analysis.AnalyserUnavailable("No worker answers."), 503, "No worker answers."),
    ],
)
def test_shows_why_a_photo_cannot_be_searched(
    error: Exception, status: int, sentence: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "_analysers", [Refusing(error)])
    response = client.post("/search/", {"photo": SimpleUploadedFile("photo.jpg", b"not a photo")})
    assert response.status_code == status
    assert sentence in response.content.decode()


def test_asks_for_a_photo_where_none_came(client: Client) -> None:
    response = client.post("/search/")
    assert response.status_code == 422
    assert "Choose a photo first." in response.content.decode()
