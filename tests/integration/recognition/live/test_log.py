"""From enrolment to decision, and where something fails on the way, no line of the log says whose face it was."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
from channels.db import database_sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from faceweb.logs import JsonFormatter, TextFormatter
from recognition.models import Checkpoint, FaceTemplate, Person, RecognitionEvent
from recognition.services import analysis
from tests import fakes
from tests.integration.recognition.live.conftest import Page, Worker, break_events, mend_events, session_of
from tests.integration.recognition.live.test_checkpoint_consumer import Eyes, claims, concludes, like

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "Augusta Byron"
EXTERNAL_ID = "badge-83172"
PHOTO = b"\xff\xd8\xff\xe0 the picture of a face"
FACE = fakes.like_probe(0.8137)
FIRST_NUMBER = 83_172_001
"""People's numbers are told from all other numbers by it."""


@pytest.fixture(params=[TextFormatter, JsonFormatter])
def log(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Everything that any logger says, as the product writes it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(request.param())
    root, ours = logging.getLogger(), logging.getLogger("recognition")
    before = root.level, ours.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    ours.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(before[0])
    ours.setLevel(before[1])


def enrol(monkeypatch: pytest.MonkeyPatch) -> Person:
    """Makes a person and gives them a photo, on the pages where people do it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('recognition_person', 'id'), %s)", [FIRST_NUMBER])
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser({PHOTO: (fakes.embedded(FACE),)})])
    client = Client(raise_request_exception=False)
    client.force_login(fakes.in_role("enroller"))
    fields = {"name": NAME, "external_id": EXTERNAL_ID, "is_active": "on"}
    added = client.post(reverse("admin:recognition_person_add"), fields)
    assert added.status_code == 302, added.content.decode()
    person = Person.objects.get()
    # The same once more, a page that is not there, one that may not be seen, and one that fails.
    client.post(reverse("admin:recognition_person_add"), fields)
    client.get(f"/admin/recognition/person/{person.pk + 1}/change/?q={NAME}")
    client.get(f"/people/{NAME}/{person.pk}/")
    client.post(reverse("admin:recognition_person_deny", args=[person.pk]))
    page = reverse("admin:recognition_person_enrol", args=[person.pk])
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser({PHOTO: RuntimeError(f"{NAME} {PHOTO!r}")})])
    client.post(page, {"photos": SimpleUploadedFile(f"{NAME}.jpg", PHOTO, "image/jpeg")})
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser({PHOTO: (fakes.embedded(FACE),)})])
    client.post(page, {"photos": SimpleUploadedFile(f"{NAME}.jpg", PHOTO, "image/jpeg")})
    assert person.samples.count() == 1
    return person


async def recognise(opened: Page) -> None:
    await opened.is_welcomed()
    for _ in range(3):
        await opened.shows(PHOTO)
        await opened.hears("result")


async def verify(opened: Page) -> str:
    await opened.opens()
    await opened.says(json.dumps({"type": "hello", "protocol": 1}))
    await opened.hears("welcome")
    await claims(opened, EXTERNAL_ID)
    return str((await concludes(opened))["outcome"])


@pytest.mark.usefixtures("active")
async def test_enrol_recognise_and_verify_leave_nobody_in_the_log(
    page: Callable[..., Page], worker: Worker, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await database_sync_to_async(enrol)(monkeypatch)
    candidates = await database_sync_to_async(like)(person)
    checkpoint = Checkpoint(slug="desk", name="Desk", mode="verify", admits="everyone")
    await database_sync_to_async(checkpoint.save)()
    user = await database_sync_to_async(lambda: session_of(fakes.user("use_live", "use_checkpoint")))()

    worker.looks_like = candidates
    opened = page(user)
    await recognise(opened)
    assert (await opened.hears("decision"))["person"]["name"] == NAME
    Eyes(worker).like = candidates
    assert await verify(page(user, path="/ws/checkpoint/desk/")) == "accepted"

    await database_sync_to_async(break_events)()
    try:
        assert await verify(page(user, path="/ws/checkpoint/desk/")) == "error"
    finally:
        await database_sync_to_async(mend_events)()

    said = log.getvalue()
    assert "a decision could not be stored" in said
    assert "RuntimeError" in said
    vector = await database_sync_to_async(lambda: [float(x) for x in FaceTemplate.objects.get().embedding])()
    numbers = [f"{x:.4f}" for x in vector if x]
    assert "0.8137" in numbers
    assert await database_sync_to_async(RecognitionEvent.objects.count)() == 2
    for secret in (NAME, "Augusta", "Byron", EXTERNAL_ID, str(FIRST_NUMBER)[:6], "xff\\xd8", "the picture", *numbers):
        assert secret not in said, secret
