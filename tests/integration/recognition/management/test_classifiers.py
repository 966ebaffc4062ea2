"""`faceweb classifiers`: how they stand in words and as JSON, and training where no jobs process runs."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from recognition.management.commands import doctor
from recognition.models import ModelPack, TrainedClassifier
from recognition.services import policies
from recognition.training import classifiers as learning
from tests import fakes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def pack(monkeypatch: pytest.MonkeyPatch) -> ModelPack:
    monkeypatch.setattr(learning, "LEAST_OTHERS", 3)
    return fakes.activated_pack()


def answer(*arguments: str) -> Any:
    out = StringIO()
    call_command("classifiers", *arguments, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


def words(*arguments: str) -> str:
    out = StringIO()
    call_command("classifiers", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_says_that_nothing_was_trained_yet() -> None:
    shown = words()
    assert "knn_classifier  missing. It was never trained with this model pack." in shown
    assert "Nothing was compared yet." in shown
    assert answer()["comparison"] == {}


def test_trains_and_tells_what_that_is_worth(pack: ModelPack) -> None:
    fakes.person("Ada", fakes.probe(), fakes.like_probe(0.95, axis=1))
    fakes.person("Bob", fakes.like_probe(0.0, axis=2), fakes.like_probe(0.2, axis=2))
    for axis in (4, 5, 6):
        fakes.unknown_face(axis)
    values = answer("--train")
    assert {kind: found["state"] for kind, found in values["classifiers"].items()} == {
        "knn_classifier": "fresh",
        "svm_classifier": "fresh",
    }
    assert values["comparison"]["table"]["nearest"]["mated"] == 4
    policies.create_version(pack=pack, values={"strategy": "svm_classifier"}, reason="try it", actor=None)
    shown = words()
    assert "svm_classifier  fresh, asked by a policy." in shown
    assert "Learned: 2 people with 4 samples" in shown
    assert "knn_classifier  0.00% (0.00%..75.00%)" in shown
    assert doctor._classifiers() == {"asked": "svm_classifier", "svm_classifier": "fresh"}
    TrainedClassifier.objects.all().delete()
    assert "nobody is accepted there" in doctor._classifiers()["problem"]


def test_what_cannot_be_learned_is_an_error() -> None:
    with pytest.raises(CommandError, match="there is nobody to learn"):
        answer("--train")
    ModelPack.objects.update(is_active=False)
    with pytest.raises(CommandError, match="No model pack is active"):
        answer()
    assert doctor._classifiers() == {"asked": "unknown without a model pack in use"}
