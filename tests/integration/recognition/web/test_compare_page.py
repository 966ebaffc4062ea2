"""The comparison page: two photos in, what was found in each and how alike they are."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from recognition.jobs import running, threshold_measurement
from recognition.models import FaceSample, Job, RecognitionEvent
from recognition.services import analysis, jobs, packs
from recognition.services.analysis import AnalyserUnavailable
from recognition.vision.errors import UnreadableImage
from tests import faces, fakes

pytestmark = pytest.mark.django_db

FIRST, SECOND, STRANGER = (faces.jpeg(picture) for picture in (faces.astronaut(), faces.group(), faces.tom_hanks()))
BLURRED = faces.jpeg(faces.blurred())
BROKEN, AWAY = b"broken", b"away"


@pytest.fixture(autouse=True)
def analyser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "_analysers", [])
    analysis.connect(
        fakes.FakeAnalyser(
            {
                FIRST: (fakes.embedded(),),
                SECOND: (fakes.embedded(fakes.like_probe(0.45, axis=2)),),
                STRANGER: (fakes.embedded(fakes.like_probe(0.1, axis=3)),),
                BLURRED: (fakes.embedded(seen=fakes.quality(sharpness=2.0)),),
                BROKEN: UnreadableImage("damaged"),
                AWAY: AnalyserUnavailable("No worker answers."),
            }
        )
    )


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("grace"))
    return client


def compared(client: Client, first: bytes, second: bytes, *, status: int = 200) -> str:
    photos = {"first": SimpleUploadedFile("1.jpg", first), "second": SimpleUploadedFile("2.jpg", second)}
    response = client.post("/compare/", photos)
    assert response.status_code == status
    return response.content.decode()


def test_shows_both_photos_with_landmarks_the_aligned_faces_and_the_decision(client: Client) -> None:
    fakes.activated_pack()
    shown = compared(client, FIRST, SECOND)
    assert "✓ The same person" in shown
    assert "<dd>0.450</dd>" in shown
    assert "<dd>1.049</dd>" in shown  # sqrt(2 - 2 * 0.45)
    assert "<dd>0.400</dd>" in shown
    assert shown.count("<circle") == 10
    assert shown.count("data:image/jpeg;base64,") == 4
    assert "✗ Not the same person" in compared(client, FIRST, STRANGER)


def test_says_from_which_photo_little_can_be_told(client: Client) -> None:
    fakes.activated_pack()
    assert "Too poor" not in compared(client, FIRST, FIRST)
    shown = compared(client, FIRST, BLURRED)
    assert "Photo 2: Too poor to rely on. The face is blurred: sharpness 2, needs 20. Hold still." in shown
    assert "Photo 1: Too poor" not in shown


def test_stores_nothing(client: Client) -> None:
    fakes.activated_pack()
    compared(client, FIRST, SECOND)
    assert not FaceSample.objects.exists()
    assert not RecognitionEvent.objects.exists()


def test_decides_nothing_without_thresholds(client: Client) -> None:
    fakes.activated_pack(decides=False)
    shown = compared(client, FIRST, FIRST)
    assert "Not decided" in shown
    assert "Verification threshold" not in shown


def test_shows_the_similarity_among_those_of_the_gallery(client: Client) -> None:
    another = fakes.registered_pack(name="another", digest="e" * 64)
    fakes.activated_pack()
    fakes.person("Ada", fakes.like_probe(1.0), fakes.like_probe(0.9))
    fakes.person("Bob", fakes.like_probe(0.6, axis=2))
    assert "was not measured yet" in compared(client, FIRST, SECOND)
    job = jobs.request(kind=Job.Kind.THRESHOLDS, parameters={}, actor=None)
    running.run(job.pk, threshold_measurement.measure, should_stop=lambda: False)
    shown = compared(client, FIRST, SECOND)
    # Bob is like Ada's samples by 0.6 and 0.54; hers are like each other by 0.9.
    assert "2 of 2 comparisons of two enrolled people are at least as similar; 0 of 1 of one person" in shown
    assert shown.count('class="bar-two"') == 2
    assert shown.count('class="bar-one"') == 1
    packs.activate(pack=another, actor=None)
    assert "was not measured yet" in compared(client, FIRST, SECOND)


@pytest.mark.parametrize(
    ("first", "second", "status", "sentence"),
    [
        (BROKEN, FIRST, 422, "This is not an image that can be read"),
        (FIRST, b"nobody", 422, "No face was found"),
        (FIRST, b"", 422, "The file is empty."),
        (AWAY, FIRST, 503, "No worker answers."),
    ],
)
def test_says_of_which_photo_what_is_wrong(
    first: bytes, second: bytes, status: int, sentence: str, client: Client
) -> None:
    fakes.activated_pack()
    shown = compared(client, first, second, status=status)
    name = "first" if second == FIRST else "second"
    assert f'id="id_{name}-error">{sentence}' in shown
    assert "<circle" not in shown


@pytest.mark.parametrize("empty", ["first", "second"])
def test_says_of_both_photos_what_is_wrong(empty: str, client: Client) -> None:
    fakes.activated_pack()
    first, second = (b"", b"nobody") if empty == "first" else (b"nobody", b"")
    shown = compared(client, first, second, status=422)
    faceless = "second" if empty == "first" else "first"
    assert f'id="id_{empty}-error">The file is empty.' in shown
    assert f'id="id_{faceless}-error">No face was found' in shown
    assert "Choose both photos again" in shown


def test_asks_for_photos_where_none_came(client: Client) -> None:
    response = client.post("/compare/")
    assert response.status_code == 422
    assert "Choose the second photo." in response.content.decode()
