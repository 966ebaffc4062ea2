"""How classifiers are kept, what is removed from them, and when they are trained again."""

from __future__ import annotations

import pytest
from django.utils import timezone

from recognition.decision import classifier_files
from recognition.decision.classifiers import MADE_UP, OTHER_PEOPLE, KnnClassifier
from recognition.decision.matching import CLASSIFIERS, Strategy
from recognition.models import AuditAction, AuditEntry, EventCrop, FaceSample, Job, ModelPack, TrainedClassifier
from recognition.selectors import packs
from recognition.services import classifiers, jobs, people, policies, retention
from tests import fakes

pytestmark = pytest.mark.django_db

KNN, SVM = CLASSIFIERS
STRANGER = fakes.like_probe(0.0, axis=2)


@pytest.fixture(autouse=True)
def pack() -> ModelPack:
    return fakes.activated_pack()


def learned(strategy: Strategy) -> list[int]:
    row = TrainedClassifier.objects.get(kind=strategy.value)
    kept = classifier_files.loaded(bytes(row.data), pack_digest=fakes.DIGEST)
    assert row.people == len(kept.learned)
    numbers: list[int] = kept.learned.tolist()
    return numbers


def audited(action: AuditAction) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=action).order_by("pk"))


class TestStoring:
    def test_replaces_the_one_before_and_says_of_what_it_is(self) -> None:
        fakes.person("Ada", fakes.probe())
        fakes.trained(KNN, STRANGER, gallery="a" * 64)
        row = fakes.trained(KNN, STRANGER)
        assert TrainedClassifier.objects.count() == 1
        assert (row.people, row.samples, row.others, row.policy_version) == (1, 1, 1, 1)
        assert [entry.details["kind"] for entry in audited(AuditAction.CLASSIFIER_TRAINED)] == [KNN.value] * 2

    def test_leaves_out_who_was_erased_while_it_was_trained(self) -> None:
        ada, bob = fakes.person("Ada", fakes.probe()), fakes.person("Bob", fakes.like_probe(0.0, axis=3))
        row = fakes.trained(KNN, STRANGER)
        before = classifier_files.loaded(bytes(row.data), pack_digest=fakes.DIGEST)
        fakes.erase(bob)
        values = {"gallery": "a" * 64, "samples": 2, "others": 1, "actor": None, "now": timezone.now()}
        classifiers.store(trained=[before], pack=packs.active(), **values)  # type: ignore[arg-type]
        assert learned(KNN) == [ada.pk]


class TestWhatIsGone:
    def test_is_looked_for_only_where_there_is_a_classifier(self) -> None:
        assert classifiers.remove_what_is_gone(actor=None) == 0
        fakes.person("Ada", fakes.probe())
        fakes.trained(KNN, STRANGER)
        assert classifiers.remove_what_is_gone(actor=None) == 0
        assert not audited(AuditAction.CLASSIFIER_PRUNED)
        assert not Job.objects.exists()

    def test_an_erased_person_leaves_every_classifier_at_once_and_is_counted_and_it_is_trained_again(self) -> None:
        ada = fakes.person("Ada", fakes.probe())
        bob = fakes.person("Bob", fakes.like_probe(0.0, axis=3), fakes.like_probe(0.0, axis=4))
        for strategy in CLASSIFIERS:
            fakes.trained(strategy, STRANGER)
        asked = fakes.erase(bob)
        assert [learned(strategy) for strategy in CLASSIFIERS] == [[ada.pk], [ada.pk]]
        assert asked.certificate is not None
        assert asked.certificate.contents["deleted"]["classifier_parts"] == 3
        assert [entry.details["removed"] for entry in audited(AuditAction.CLASSIFIER_PRUNED)] == [2, 1]
        assert Job.objects.get().kind == Job.Kind.CLASSIFIERS

    def test_a_deleted_sample_leaves_with_its_face_alone(self) -> None:
        ada = fakes.person("Ada", fakes.probe(), fakes.like_probe(0.9))
        fakes.trained(KNN, STRANGER)
        gone = FaceSample.objects.filter(person=ada).latest("pk")
        people.delete_sample(sample=gone, actor=None)
        row = TrainedClassifier.objects.get()
        kept = classifier_files.loaded(bytes(row.data), pack_digest=fakes.DIGEST)
        assert isinstance(kept, KnnClassifier)
        assert kept.people.tolist() == [ada.pk, OTHER_PEOPLE]
        assert gone.pk not in kept.sources

    def test_a_picture_that_retention_removes_takes_its_face_along(self) -> None:
        fakes.person("Ada", fakes.probe())
        seen = fakes.unknown_face(2)
        row = fakes.trained(KNN, STRANGER)
        kept = classifier_files.loaded(bytes(row.data), pack_digest=fakes.DIGEST)
        assert isinstance(kept, KnnClassifier)
        sources = kept.sources.copy()
        sources[sources == MADE_UP] = seen.pk
        data = classifier_files.dumped(KnnClassifier(kept.vectors, kept.people, sources), pack_digest=fakes.DIGEST)
        TrainedClassifier.objects.update(data=data)
        EventCrop.objects.all().delete()
        retention.apply(now=timezone.now())
        kept = classifier_files.loaded(bytes(TrainedClassifier.objects.get().data), pack_digest=fakes.DIGEST)
        assert OTHER_PEOPLE not in kept.people

    def test_a_damaged_classifier_goes_as_a_whole(self) -> None:
        ada = fakes.person("Ada", fakes.probe())
        fakes.trained(KNN, STRANGER)
        TrainedClassifier.objects.update(data=b"damaged")
        assert fakes.erase(ada).certificate is not None
        assert not TrainedClassifier.objects.exists()

    def test_a_training_that_waits_already_is_enough(self) -> None:
        ada = fakes.person("Ada", fakes.probe())
        fakes.trained(KNN, STRANGER)
        jobs.request(kind=Job.Kind.CLASSIFIERS, parameters={}, actor=None)
        fakes.erase(ada)
        assert Job.objects.count() == 1


class TestTrainingAgain:
    def asked_for(self, pack: ModelPack) -> None:
        policies.create_version(pack=pack, values={"strategy": KNN.value}, reason="try it", actor=None)

    def test_is_of_no_use_without_a_pack_or_a_classifier(self, pack: ModelPack) -> None:
        assert classifiers.train_again_if_outdated() is None
        ModelPack.objects.update(is_active=False)
        assert classifiers.train_again_if_outdated() is None

    def test_is_done_when_the_gallery_of_a_classifier_that_is_asked_has_changed(self, pack: ModelPack) -> None:
        fakes.person("Ada", fakes.probe())
        fakes.trained(KNN, STRANGER)
        self.asked_for(pack)
        assert classifiers.train_again_if_outdated() is None
        fakes.person("Bob", fakes.like_probe(0.0, axis=3))
        job = classifiers.train_again_if_outdated()
        assert job is not None
        assert job.kind == Job.Kind.CLASSIFIERS
        # It waits already; and once it failed, the same gallery would fail again.
        assert classifiers.train_again_if_outdated() is None
        Job.objects.update(state=Job.State.FAILED, finished_at=timezone.now())
        assert classifiers.train_again_if_outdated() is None
        fakes.person("Cay", fakes.like_probe(0.0, axis=4))
        assert classifiers.train_again_if_outdated() is not None

    def test_is_not_done_where_no_policy_asks(self, pack: ModelPack) -> None:
        fakes.person("Ada", fakes.probe())
        fakes.trained(KNN, STRANGER)
        fakes.person("Bob", fakes.like_probe(0.0, axis=3))
        assert classifiers.train_again_if_outdated() is None
