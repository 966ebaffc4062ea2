"""The job that trains classifiers: what it learns and tells, and why it ends otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from recognition.admin import job_detail
from recognition.decision.matching import CLASSIFIERS, Objection, Strategy
from recognition.evaluation import face_like
from recognition.jobs import classifiers as job_module
from recognition.jobs import running, upkeep
from recognition.models import AuditAction, AuditEntry, Job, ModelPack, TrainedClassifier
from recognition.selectors import classifiers as read
from recognition.selectors import gallery, packs
from recognition.services import classifiers, jobs, policies
from recognition.training import classifiers as learning
from tests import fakes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def pack(monkeypatch: pytest.MonkeyPatch) -> ModelPack:
    monkeypatch.setattr(learning, "LEAST_OTHERS", 3)
    return fakes.activated_pack()


def enrolled() -> None:
    """Two people with two samples each, and three strangers who are like neither."""
    fakes.person("Ada", fakes.probe(), fakes.like_probe(0.95, axis=1))
    fakes.person("Bob", fakes.like_probe(0.0, axis=2), fakes.like_probe(0.2, axis=2))
    for axis in (4, 5, 6):
        fakes.unknown_face(axis)


def run(*, should_stop: bool = False) -> Job:
    job = classifiers.ask_for_training(actor=None)
    running.run(job.pk, job_module.train, should_stop=lambda: should_stop)
    job.refresh_from_db()
    return job


def test_learns_the_gallery_and_says_what_that_is_worth(pack: ModelPack) -> None:
    enrolled()
    job = run()
    assert job.state == Job.State.SUCCEEDED
    assert (job.done, job.total) == (5, 5)  # three parts of the samples, all of them, and storing
    numbers = {name: job.result[name] for name in ("people", "samples", "seen", "made_up", "policy", "threshold")}
    assert numbers == {"people": 2, "samples": 4, "seen": 3, "made_up": 0, "policy": 1, "threshold": 0.5}
    assert set(job.result["table"]) == {strategy.value for strategy in Strategy}
    easy = {"mated": 4, "first": 4, "missed": 0, "non_mated": 3, "named": 0}
    assert job.result["table"]["nearest"] == job.result["table"]["knn_classifier"] == easy
    assert job_detail.sentence(job) == ("Learned: 2 people with 4 samples; as other people 3 faces seen and 0 made up.")
    assert [row.kind for row in TrainedClassifier.objects.all()] == [kind.value for kind in CLASSIFIERS]
    assert AuditEntry.objects.filter(action=AuditAction.CLASSIFIER_TRAINED).count() == 2
    assert read.newest_comparison(pack.pk) == job
    assert all(each.state is read.State.FRESH for each in read.standings(packs.active()))
    for strategy in CLASSIFIERS:
        policies.create_version(pack=pack, values={"strategy": strategy.value}, reason="try it", actor=None)
        assert gallery.search(fakes.probe(), packs.active()).objection is None
    fakes.person("Cay", fakes.like_probe(0.0, axis=7))
    assert gallery.search(fakes.like_probe(0.0, axis=7), packs.active()).objection is Objection.NOT_LEARNED
    upkeep.train_again(0)
    assert Job.objects.filter(state=Job.State.QUEUED, kind=Job.Kind.CLASSIFIERS).exists()


@pytest.mark.parametrize(
    ("most_people", "others", "code"),
    [(0, 3, "too_many_people_to_learn"), (9, 4, "too_few_others_to_learn")],
)
def test_what_cannot_be_learned_is_told(
    most_people: int, others: int, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "MOST_PEOPLE", most_people)
    monkeypatch.setattr(learning, "LEAST_OTHERS", others)
    enrolled()
    job = run()
    assert job.error_code == code
    assert "2 people" in job_detail.sentence(job) or "3 faces" in job_detail.sentence(job)
    assert not TrainedClassifier.objects.exists()


def test_without_anybody_or_a_pack_that_decides_nothing_is_learned() -> None:
    assert run().error_code == "nobody_to_learn"
    ModelPack.objects.update(operating_points=[])
    assert run().error_code == "no_thresholds"
    ModelPack.objects.update(is_active=False)
    assert run().error_code == "no_active_pack"


def test_cancelled_it_leaves_the_classifiers_as_they_were() -> None:
    enrolled()
    job = jobs.request(kind=Job.Kind.CLASSIFIERS, parameters={}, actor=None)
    Job.objects.update(is_cancel_requested=True, state=Job.State.RUNNING)
    with pytest.raises(jobs.CancelRequested):
        job_module.train(running.Steps(jobs.Run(job.pk, 0, {}, {}), lambda: False))
    assert not TrainedClassifier.objects.exists()


def test_a_new_site_has_people_who_do_not_exist_to_learn_as_other_people(
    pack: ModelPack, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_up = np.eye(fakes.DIMENSION, dtype=np.float32)[3:8]
    drawn = face_like.FaceLikeGallery(made_up, 1, made_up[:0], np.empty(0, np.int64))
    monkeypatch.setattr(face_like, "generate", lambda statistics, **wanted: drawn)
    ModelPack.objects.update(name="opencv-zoo")
    fakes.person("Ada", fakes.probe())
    job = run()
    assert (job.result["seen"], job.result["made_up"]) == (0, 5)
