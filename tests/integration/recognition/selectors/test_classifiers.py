"""What a search asks of a classifier, and what there is to learn of other people."""

from __future__ import annotations

import dataclasses

import pytest

from recognition.decision.matching import CLASSIFIERS, Objection, Strategy
from recognition.decision.verdict import Decision, Reason, judge
from recognition.models import ModelPack, TrainedClassifier, UnknownCluster, UnknownFace
from recognition.selectors import classifiers, gallery, packs, unknowns
from recognition.selectors.classifiers import State
from recognition.selectors.packs import ActivePack
from recognition.services import policies
from recognition.vision.types import Embedding
from tests import fakes

pytestmark = pytest.mark.django_db

KNN, SVM = CLASSIFIERS
STRANGER = fakes.like_probe(0.8, axis=2)
"""Similar enough to be taken for who is enrolled by `fakes.probe()`."""


@pytest.fixture(autouse=True)
def pack() -> ModelPack:
    return fakes.activated_pack()


def asking(strategy: Strategy) -> ActivePack:
    active = packs.active()
    assert active.policy is not None
    return dataclasses.replace(active, policy=dataclasses.replace(active.policy, strategy=strategy))


def objection(probe: Embedding, strategy: Strategy) -> Objection | None:
    return gallery.search(probe, asking(strategy)).objection


@pytest.mark.parametrize("strategy", CLASSIFIERS)
class TestASearch:
    def test_without_a_classifier_accepts_nobody(self, strategy: Strategy) -> None:
        fakes.person("Ada", fakes.probe())
        active = asking(strategy)
        found = gallery.search(fakes.probe(), active)
        assert found.objection is Objection.NO_CLASSIFIER
        assert active.policy is not None
        assert judge(found, active.policy).decision is Decision.REJECT_NO_MATCH

    def test_accepts_whom_the_classifier_knows_again(self, strategy: Strategy) -> None:
        fakes.person("Ada", fakes.probe())
        fakes.trained(strategy, STRANGER)
        assert objection(fakes.probe(), strategy) is None

    def test_does_not_accept_who_was_enrolled_since(self, strategy: Strategy) -> None:
        fakes.person("Ada", fakes.like_probe(0.0, axis=3))
        fakes.trained(strategy, STRANGER)
        fakes.person("Bob", fakes.probe())
        assert objection(fakes.probe(), strategy) is Objection.NOT_LEARNED
        fakes.trained(strategy, STRANGER)
        assert objection(fakes.probe(), strategy) is None

    @pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 hostile"])
    def test_by_a_damaged_classifier_accepts_nobody(self, strategy: Strategy, damage: bytes) -> None:
        fakes.person("Ada", fakes.probe())
        fakes.trained(strategy, STRANGER)
        TrainedClassifier.objects.update(data=damage, sha256="0" * 64)
        assert objection(fakes.probe(), strategy) is Objection.NO_CLASSIFIER

    def test_by_a_classifier_of_another_pack_accepts_nobody(self, strategy: Strategy) -> None:
        fakes.person("Ada", fakes.probe())
        fakes.trained(strategy, STRANGER)
        ModelPack.objects.update(digest="e" * 64)
        other = dataclasses.replace(asking(strategy), digest="e" * 64)
        classifiers._held.clear()  # as in a process that starts
        assert gallery.search(fakes.probe("e" * 64), other).objection is Objection.NO_CLASSIFIER


def test_a_search_by_another_strategy_asks_no_classifier() -> None:
    fakes.person("Ada", fakes.probe())
    assert objection(fakes.probe(), Strategy.NEAREST) is None


def test_a_face_that_is_more_like_other_people_is_not_accepted() -> None:
    fakes.person("Ada", fakes.probe())
    fakes.trained(KNN, STRANGER)
    assert objection(STRANGER, KNN) is Objection.OTHER_PEOPLE
    assert objection(STRANGER, Strategy.NEAREST) is None


@pytest.mark.parametrize(
    ("objection", "is_unknown"),
    [(Objection.NO_CLASSIFIER, False), (Objection.NOT_LEARNED, False), (Objection.OTHER_PEOPLE, True)],
)
def test_who_was_refused_because_no_classifier_could_be_asked_is_no_unknown_person(
    objection: Objection, is_unknown: bool
) -> None:
    fakes.unknown_event(reasons=[Reason(objection).as_json()])
    assert unknowns.to_embed(packs.active().id).exists() is is_unknown


class TestStandings:
    def test_say_what_each_kind_is_good_for(self) -> None:
        ada = fakes.person("Ada", fakes.probe())
        assert [each.state for each in classifiers.standings(packs.active())] == [State.MISSING, State.MISSING]
        fakes.trained(KNN, STRANGER)
        fakes.trained(SVM, STRANGER)
        assert [each.state for each in classifiers.standings(packs.active())] == [State.FRESH, State.FRESH]
        TrainedClassifier.objects.filter(kind=SVM.value).update(data=b"damaged", sha256="0" * 64)
        fakes.person("Bob", fakes.like_probe(0.0, axis=3))
        found = classifiers.standings(packs.active())
        assert [(each.state, each.is_usable, each.is_needed) for each in found] == [
            (State.OUTDATED, True, False),
            (State.DAMAGED, False, False),
        ]
        assert ada.pk in (classifiers.usable(packs.active(), KNN) or pytest.fail("unusable")).learned

    def test_say_which_a_policy_asks(self, pack: ModelPack) -> None:
        fakes.person("Ada", fakes.probe())
        fakes.trained(KNN, STRANGER)
        policies.create_version(pack=pack, values={"strategy": KNN.value}, reason="try it", actor=None)
        assert [each.is_needed for each in classifiers.standings(packs.active())] == [True, False]


class TestOtherPeople:
    def test_are_nobody_where_nobody_was_grouped(self) -> None:
        fakes.unknown_event()
        assert len(classifiers.other_people(packs.active())) == 0

    def test_are_the_newest_faces_of_each_unknown_person_but_of_those_who_turned_out_to_be_enrolled(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(classifiers, "FACES_A_PERSON", 2)
        faces = [fakes.unknown_face(axis).pk for axis in (2, 2, 2, 3, 4, 5)]
        regular, ignored = UnknownCluster.objects.create(), UnknownCluster.objects.create(state="ignored")
        ada = fakes.person("Ada", fakes.probe())
        assigned = UnknownCluster.objects.create(state="assigned", person=ada)
        for cluster, numbers in ((regular, faces[:3]), (ignored, faces[3:4]), (assigned, faces[4:5])):
            UnknownFace.objects.filter(pk__in=numbers).update(cluster=cluster)
        found = classifiers.other_people(packs.active())
        assert found.sources.tolist() == [faces[5], faces[3], faces[2], faces[1]]
        assert found.told.tolist() == [False, True, False, False]
        assert found.groups.tolist()[1:] == [ignored.pk, regular.pk, regular.pk]
        assert found.groups[0] < 0
        monkeypatch.setattr(classifiers, "MOST_SEEN", 1)
        assert classifiers.other_people(packs.active()).sources.tolist() == [faces[5]]
