"""The job that groups unknown faces: what it embeds, what it makes of it, and why it ends otherwise."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from recognition.admin import job_detail
from recognition.decision import clustering
from recognition.jobs import running
from recognition.jobs import unknowns as unknowns_job
from recognition.models import Job, ModelPack, RecognitionEvent, UnknownCluster, UnknownFace
from recognition.selectors.packs import ActivePack
from recognition.services import jobs, unknowns
from recognition.vision.errors import PackUnavailable
from recognition.vision.types import Embedding
from tests import fakes, shades

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def used() -> ModelPack:
    return fakes.activated_pack()


@pytest.fixture(autouse=True)
def networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every shade of grey is somebody else."""
    vectors: dict[int, Embedding] = {shade: fakes.like_probe(0.0, axis=axis) for axis, shade in shades.BY_AXIS}
    monkeypatch.setattr(unknowns_job, "networks_of", lambda pack: shades.pipeline(vectors, fakes.DIGEST))


def seen(*kept: int) -> list[RecognitionEvent]:
    return [fakes.unknown_event(shades.picture(shade)) for shade in kept]


def run() -> Job:
    job = jobs.request(kind=Job.Kind.UNKNOWNS, parameters={}, actor=None)
    running.run(job.pk, unknowns_job.group, should_stop=lambda: False)
    job.refresh_from_db()
    return job


def test_without_unknown_faces_no_networks_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(pack: ModelPack) -> None:
        raise PackUnavailable("not here")

    monkeypatch.setattr(unknowns_job, "networks_of", unavailable)
    job = run()
    assert job.state == Job.State.SUCCEEDED
    assert job_detail.sentence(job) == "0 faces are grouped: 0 new people; 0 joined somebody who was there."
    seen(50)
    job = run()
    assert (job.state, job.error_code) == (Job.State.FAILED, "pack_unusable")


def test_embeds_the_kept_pictures_once_and_groups_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unknowns_job, "FACES_A_STEP", 2)
    one, two, three, nobody = seen(50, 90, 50, shades.DARK)
    job = run()
    assert job.result == {"faces": 3, "joined": 0, "made": 2, "merged": 0, "looked_at": 4}
    assert job_detail.sentence(job) == "3 faces are grouped: 2 new people; 0 joined somebody who was there."
    cluster = UnknownFace.objects.get(pk=one.pk).cluster
    assert UnknownFace.objects.get(pk=three.pk).cluster == cluster
    assert UnknownFace.objects.get(pk=two.pk).cluster != cluster
    unseen = UnknownFace.objects.get(pk=nobody.pk)
    assert (unseen.embedding, unseen.cluster) == (None, None)
    seen(90)
    assert run().result == {"faces": 4, "joined": 1, "made": 0, "merged": 0, "looked_at": 1}


def test_a_pack_that_decides_nothing_groups_nothing() -> None:
    ModelPack.objects.update(operating_points=[])
    assert run().error_code == "no_thresholds"
    ModelPack.objects.update(is_active=False)
    assert run().error_code == "no_active_pack"


def test_more_faces_than_can_be_compared_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clustering, "MOST_TOGETHER", 2)
    seen(50, 50, 50)
    job = run()
    assert job.error_code == "too_many_alike"
    assert "faces hang together" in job_detail.sentence(job)
    assert not UnknownCluster.objects.exists()


def test_cancelled_it_keeps_what_it_embedded_and_groups_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unknowns_job, "FACES_A_STEP", 1)
    seen(50, 90)
    job = jobs.request(kind=Job.Kind.UNKNOWNS, parameters={}, actor=None)
    store = unknowns.store_vectors

    def cancelled(*, pack: ActivePack, embeddings: Mapping[int, Embedding | None]) -> None:
        Job.objects.update(is_cancel_requested=True)
        store(pack=pack, embeddings=embeddings)

    monkeypatch.setattr(unknowns, "store_vectors", cancelled)
    running.run(job.pk, unknowns_job.group, should_stop=lambda: False)
    job.refresh_from_db()
    assert job_detail.sentence(job) == "It was cancelled. No face was grouped."
    assert UnknownFace.objects.count() == 1
    assert not UnknownCluster.objects.exists()
