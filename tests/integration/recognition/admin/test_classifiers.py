"""The page of classifiers: how they stand, what they are worth, and who may train them."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recognition.decision.matching import CLASSIFIERS, Strategy
from recognition.models import Job, ModelPack, TrainedClassifier
from recognition.selectors import packs, system
from recognition.selectors.system import Part
from recognition.services import policies
from tests import fakes

pytestmark = pytest.mark.django_db

LIST = "/admin/recognition/trainedclassifier/"
KNN, SVM = CLASSIFIERS
STRANGER = fakes.like_probe(0.0, axis=2)


@pytest.fixture(autouse=True)
def pack() -> ModelPack:
    return fakes.activated_pack()


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(fakes.in_role("administrator"))
    return client


def said(client: Client, where: str = LIST) -> str:
    response = client.get(where)
    assert response.status_code == 200
    return response.content.decode()


def compared(pack: ModelPack) -> Job:
    """A training that came to its end."""
    counted = {"mated": 200, "first": 198, "missed": 4, "non_mated": 500, "named": 0}
    result = {"gallery": "", "pack": pack.pk, "policy": 1, "threshold": 0.5, "margin": 0.05}
    result |= {"people": 100, "samples": 250, "seen": 20, "made_up": 480}
    result["table"] = {strategy.value: counted for strategy in Strategy}
    return Job.objects.create(
        kind=Job.Kind.CLASSIFIERS, state=Job.State.SUCCEEDED, result=result, finished_at=timezone.now()
    )


def test_before_anything_was_trained_the_page_says_what_it_is_for(staff: Client) -> None:
    shown = said(staff)
    assert "Not trained yet" in shown
    assert "Train now" in shown
    assert shown.count("It was never trained with this model pack.") == 2


def test_without_a_pack_there_is_nothing_to_train(staff: Client) -> None:
    ModelPack.objects.update(is_active=False)
    shown = said(staff)
    assert "No model pack is active." in shown
    assert "Train now" not in shown


def test_a_training_is_asked_for_once_followed_and_cancelled(staff: Client) -> None:
    address = reverse("admin:recognition_trainedclassifier_train")
    assert "Training waits" in staff.post(address, follow=True).content.decode()
    assert "Such a job waits or runs already" in staff.post(address, follow=True).content.decode()
    job = Job.objects.get()
    Job.objects.update(state=Job.State.RUNNING, done=2, total=5)
    shown = said(staff)
    assert "Training, 40 %" in shown
    assert "Step 2 of 5 is done." in shown
    assert "how they stand, and what they are worth" in said(
        staff, reverse("admin:recognition_job_change", args=[job.pk])
    )
    Job.objects.update(state=Job.State.QUEUED)
    response = staff.post(reverse("admin:recognition_job_cancel", args=[job.pk]), {"next": LIST}, follow=True)
    assert response.redirect_chain[-1][0] == LIST
    assert "The classifiers are as they were before." in response.content.decode()


def test_the_table_has_every_strategy_with_counts_and_intervals(staff: Client, pack: ModelPack) -> None:
    compared(pack)
    shown = said(staff)
    assert "Learned: 100 people with 250 samples; as other people 20 faces seen and 480 made up." in shown
    assert shown.count("198 of 200") == shown.count("4 of 200") == shown.count("0 of 500") == len(Strategy)
    assert "95 %: 96.4 % to 99.9 %" in " ".join(shown.split())


def test_says_how_each_stands_and_what_follows_from_it(staff: Client, pack: ModelPack) -> None:
    fakes.person("Ada", fakes.probe())
    fakes.trained(KNN, STRANGER)
    fakes.trained(SVM)
    policies.create_version(pack=pack, values={"strategy": KNN.value}, reason="try it", actor=None)
    assert said(staff).count("<td>fresh</td>") == 2
    fakes.person("Bob", fakes.like_probe(0.0, axis=3))
    shown = said(staff)
    assert "Whoever came since is not accepted until it is trained again" in shown
    assert "No policy asks it, so it is not trained again by itself." in shown
    TrainedClassifier.objects.update(data=b"damaged", sha256="0" * 64)
    shown = said(staff)
    assert "damaged, and a policy asks it: nobody is accepted there" in shown
    assert "Train it before a policy asks it." in shown
    TrainedClassifier.objects.all().delete()
    assert "It is not there, and a policy asks it: nobody is accepted there." in said(staff)


def test_the_dashboard_says_that_a_policy_asks_what_is_not_there(staff: Client, pack: ModelPack) -> None:
    fakes.person("Ada", fakes.probe())
    fakes.trained(KNN, STRANGER)
    policies.create_version(pack=pack, values={"strategy": KNN.value}, reason="try it", actor=None)

    def ill() -> set[Part]:
        return {each.part for each in system.look(now=timezone.now(), recognises=True) if not each.is_well}

    assert Part.CLASSIFIERS not in ill()
    TrainedClassifier.objects.all().delete()
    assert Part.CLASSIFIERS in ill()
    assert "A policy asks a classifier that is missing or damaged" in said(staff, "/admin/")


def test_those_who_only_look_are_told_so(client: Client, pack: ModelPack) -> None:
    client.force_login(fakes.in_role("auditor"))
    assert "You may not ask for a training; an administrator may." in said(client)
    fakes.person("Ada", fakes.probe())
    row = fakes.trained(KNN, STRANGER)
    assert "nearest neighbours (k-NN)" in said(client, f"{LIST}{row.pk}/change/")


def test_the_form_of_the_policy_says_what_a_classifier_does_and_an_approval_without_one_why_not(
    staff: Client, pack: ModelPack
) -> None:
    assert "it can take a name back and never gives one" in said(staff, "/admin/recognition/thresholdpolicy/add/")
    proposed = policies.propose(
        pack=pack, values={"strategy": KNN.value}, reason="try it", actor=fakes.in_role("administrator")
    )
    address = reverse("admin:recognition_thresholdpolicy_approve", args=[proposed.pk])
    assert "Train it under Classifiers first." in staff.post(address, follow=True).content.decode()
    in_force = packs.active().policy
    assert in_force is not None
    assert in_force.strategy is Strategy.NEAREST
