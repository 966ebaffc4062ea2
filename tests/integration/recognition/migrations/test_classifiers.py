"""A gallery of before can be learned after, and those who administer may have it learned."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group

from recognition.decision.matching import Strategy
from recognition.models import ModelPack, TrainedClassifier
from recognition.selectors import classifiers, gallery, packs
from recognition.services import policies
from tests import fakes
from tests.integration.recognition.migrations.conftest import migrate, stored_person

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0030_supplied_packs"


def test_a_gallery_of_before_is_learned_and_stays_when_it_goes_back(before: Any) -> None:
    for name in ("administrator", "auditor", "enroller"):
        Group.objects.get_or_create(name=name)
    ada = stored_person(before)
    migrate(None)
    pack = ModelPack.objects.get()
    fakes.trained(Strategy.KNN_CLASSIFIER, fakes.like_probe(0.0, axis=2))
    policies.create_version(pack=pack, values={"strategy": "knn_classifier"}, reason="try it", actor=None)
    found = gallery.search(fakes.probe(), packs.active())
    assert (found.people[0].person_id, found.objection) == (ada.pk, None)
    assert classifiers.asked_for(pack.pk) == {Strategy.KNN_CLASSIFIER}
    assert TrainedClassifier.objects.get().people == 1
    may = {
        name: set(Group.objects.get(name=name).permissions.values_list("codename", flat=True))
        for name in ("administrator", "auditor", "enroller")
    }
    assert {"view_trainedclassifier", "train_classifiers"} <= may["administrator"]
    assert "view_trainedclassifier" in may["auditor"] - {"train_classifiers"}
    assert "view_trainedclassifier" not in may["enroller"]
    old = migrate(BEFORE)
    assert old.get_model("recognition", "Person").objects.get().pk == ada.pk
