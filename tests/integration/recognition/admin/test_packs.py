"""The page of a model pack: it is tried out by a job, and switched to while what was found out is still so."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recognition.jobs import pack_switch, running
from recognition.models import AuditAction, AuditEntry, Job, ModelPack, Person, SampleImage
from recognition.selectors import packs
from recognition.services import jobs
from tests import fakes, shades

pytestmark = pytest.mark.django_db

VECTORS = {shade: fakes.like_probe(0.0, axis=axis, pack_digest=shades.DIGEST) for axis, shade in shades.BY_AXIS}


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> ModelPack:
    """A pack beside the one in use."""
    monkeypatch.setattr(pack_switch, "networks_of", lambda pack: shades.pipeline(VECTORS, shades.DIGEST))
    pack = fakes.registered_pack(name="other", digest=shades.DIGEST)
    fakes.activated_pack()
    return pack


@pytest.fixture
def administrator() -> User:
    return fakes.in_role("administrator")


@pytest.fixture
def client(administrator: User) -> Client:
    client = Client()
    client.force_login(administrator)
    return client


def page_of(pack: ModelPack, client: Client) -> str:
    return text_of(client.get(f"/admin/recognition/modelpack/{pack.pk}/change/"))


def text_of(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def post(pack: ModelPack, client: Client, button: str, **values: str) -> str:
    return text_of(client.post(f"/admin/recognition/modelpack/{pack.pk}/{button}/", values, follow=True))


def enrolled(name: str, shade: int | None, axis: int = 1) -> Person:
    person = fakes.person(name, fakes.like_probe(0.0, axis=axis))
    if shade is None:
        SampleImage.objects.all().delete()
    else:
        shades.keep(person.samples.get(), shade)
    return person


def tried(pack: ModelPack, client: Client) -> Job:
    post(pack, client, "try")
    job = Job.objects.latest("pk")
    running.run(job.pk, pack_switch.try_out, should_stop=lambda: False)
    job.refresh_from_db()
    return job


def test_a_pack_that_was_never_tried_offers_a_trial_and_no_switch(other: ModelPack, client: Client) -> None:
    page = page_of(other, client)
    assert "Try it out" in page
    assert "Yes, switch now" not in page


def test_the_pack_in_use_says_whether_it_lacks_samples(other: ModelPack, client: Client) -> None:
    used = ModelPack.objects.get(is_active=True)
    assert "Every sample that is searched is embedded by this pack." in page_of(used, client)
    enrolled("Ada", 50).samples.get().templates.all().delete()
    page = page_of(used, client)
    assert "1 sample is not found" in page
    assert "Embed what is missing" in page


def test_a_trial_is_a_job_that_its_page_tells_and_after_it_the_pack_is_switched(
    other: ModelPack, client: Client, administrator: User
) -> None:
    enrolled("Ada", 50)
    page = post(other, client, "try")
    assert "It waits for its turn." in page
    job = Job.objects.get()
    assert (job.kind, job.parameters, job.requested_by) == ("pack_switch", {"pack": other.pk}, administrator)
    assert "Yes, switch now" not in page_of(other, client)
    running.run(job.pk, pack_switch.try_out, should_stop=lambda: False)
    told = text_of(client.get(f"/admin/recognition/job/{job.pk}/change/"))
    assert "Samples that the pack has embedded: 1 of 1." in told
    assert "People who would not be found any more: 0 of 1." in told
    page = page_of(other, client)
    assert "Samples that the pack has embedded: 1 of 1." in page
    assert "Yes, switch now" in page
    assert "Although people are not found" not in page
    job.refresh_from_db()
    assert "other is in use now" in post(other, client, "switch", compared=job.result["basis"])
    assert packs.active().id == other.pk
    assert AuditEntry.objects.filter(action=AuditAction.PACK_ACTIVATED).latest("pk").actor == administrator
    assert "Yes, switch now" not in page_of(other, client)


def test_after_a_change_of_the_gallery_it_must_be_tried_again(other: ModelPack, client: Client) -> None:
    enrolled("Ada", 50)
    job = tried(other, client)
    enrolled("Bob", 90, axis=2)
    page = page_of(other, client)
    assert "changed since. Try the pack out again" in page
    assert "Yes, switch now" not in page
    assert "changed since the pack was tried out" in post(other, client, "switch", compared=job.result["basis"])
    assert "changed since the pack was tried out" in post(other, client, "switch")
    assert packs.active().id != other.pk


def test_losses_are_named_and_agreed_to(other: ModelPack, client: Client) -> None:
    ada = enrolled("Ada", None)
    job = tried(other, client)
    told = text_of(client.get(f"/admin/recognition/job/{job.pk}/change/"))
    assert "People who would not be found any more: 1" in told
    assert ada.name in told
    assert "Although people are not found any more" in page_of(other, client)
    assert "1 person would not be found" in post(other, client, "switch", compared=job.result["basis"])
    assert packs.active().id != other.pk
    post(other, client, "switch", compared=job.result["basis"], despite_losses="on")
    assert packs.active().id == other.pk


def test_a_trial_that_failed_or_was_cancelled_says_so_and_offers_no_switch(other: ModelPack, client: Client) -> None:
    post(other, client, "try")
    assert "Such a job waits or runs already." in post(other, client, "try")
    job = Job.objects.get()
    jobs.cancel(job=job, actor=None, now=fakes.NOW)
    assert "What it had embedded until then stays" in text_of(client.get(f"/admin/recognition/job/{job.pk}/change/"))
    page = page_of(other, client)
    assert ": cancelled" in page
    assert "Yes, switch now" not in page


def test_whoever_may_only_look_has_no_buttons(other: ModelPack) -> None:
    client = Client()
    client.force_login(fakes.in_role("auditor"))
    page = page_of(other, client)
    assert "Switch to this pack" in page
    assert "Try it out" not in page


def test_an_embedder_that_was_brought_along_is_not_switched_to_before_it_was_measured(
    client: Client, other: ModelPack
) -> None:
    ModelPack.objects.filter(pk=other.pk).update(
        is_supplied=True, operating_points=[], location="/packs/mine", licence_url="https://example.org/licence"
    )
    tried(other, client)
    shown = page_of(other, client)
    command = "faceweb evaluate pairs --images DIR --pairs FILE --all-pairs --pack /packs/mine --record"
    assert command in shown
    assert "https://example.org/licence" in shown
    assert "Yes, switch now" not in shown
    compared = Job.objects.latest("pk").result["basis"]
    assert command in post(other, client, "switch", compared=compared, despite_losses="on")
    assert not ModelPack.objects.get(pk=other.pk).is_active
