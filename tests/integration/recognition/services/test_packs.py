from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from recognition.models import AuditAction, AuditEntry, FaceTemplate, ModelPack, ThresholdPolicy
from recognition.selectors import gallery
from recognition.selectors import packs as selectors
from recognition.services import packs, policies
from recognition.services.pack_rules import ThresholdsNotMeasured
from recognition.vision.errors import PackMismatch
from recognition.vision.model_packs import OperatingPoint
from tests import fakes

pytestmark = pytest.mark.django_db

OTHER = "e" * 64


class TestRegister:
    def test_stores_a_pack_and_activates_nothing(self) -> None:
        pack = fakes.registered_pack()
        assert not pack.is_active
        assert ThresholdPolicy.objects.count() == 0

    def test_a_second_time_updates_name_and_thresholds_of_the_same_row(self) -> None:
        first = fakes.registered_pack(name="old", decides=False)
        again = fakes.registered_pack(name="new")
        assert again.pk == first.pk
        assert (again.name, again.decides) == ("new", True)

    def test_keeps_measured_thresholds_where_the_pack_ships_none(self) -> None:
        pack = fakes.registered_pack(decides=False)
        packs.record_measurement(pack=pack, operating_points=fakes.POINTS, measured_on="LFW", actor=None)
        assert fakes.registered_pack(decides=False).decides

    def test_keeps_thresholds_measured_here_where_the_pack_ships_others(self) -> None:
        pack = fakes.registered_pack()
        measured = (OperatingPoint(fmr=1e-4, threshold=0.9, tmr=0.5),)
        packs.record_measurement(pack=pack, operating_points=measured, measured_on="this site", actor=None)
        again = fakes.registered_pack()
        assert [point["threshold"] for point in again.operating_points] == [0.9]
        assert again.measured_on == "this site"

    def test_the_database_refuses_a_vector_of_another_length(self) -> None:
        pack = fakes.registered_pack()
        sample = fakes.person("Ada", fakes.probe()).samples.get()
        FaceTemplate.objects.all().delete()
        with pytest.raises(IntegrityError, match="facetemplate_dimension_pack"), transaction.atomic():
            FaceTemplate.objects.create(sample=sample, pack=pack, embedding=[1.0] * (fakes.DIMENSION + 1))


class TestActivate:
    def test_makes_the_first_policy_of_the_measured_thresholds(self) -> None:
        fakes.activated_pack()
        policy = ThresholdPolicy.objects.get()
        assert (policy.identification_threshold, policy.verification_threshold) == (0.5, 0.4)

    def test_makes_no_policy_for_a_pack_that_was_never_measured(self) -> None:
        fakes.activated_pack(decides=False)
        assert not ThresholdPolicy.objects.exists()

    def test_refuses_an_embedder_that_was_brought_along_until_it_was_measured(self) -> None:
        pack = fakes.registered_pack(decides=False)
        pack.is_supplied = True
        pack.save()
        with pytest.raises(ThresholdsNotMeasured, match="--pack fake-pack --record"):
            packs.activate(pack=pack, actor=None)
        assert not ModelPack.objects.filter(is_active=True).exists()
        with pytest.raises(policies.ChangeRefused, match="Measure it first: faceweb evaluate pairs"):
            policies.create_version(pack=pack, values={}, reason="a test", actor=None)
        with pytest.raises(policies.ChangeRefused, match="Measure it first"):
            policies.propose(pack=pack, values={}, reason="a test", actor=fakes.user())
        packs.record_measurement(pack=pack, operating_points=fakes.POINTS, measured_on="LFW", actor=None)
        packs.activate(pack=pack, actor=None)
        assert ThresholdPolicy.objects.filter(pack=pack).exists()

    def test_switches_from_one_pack_to_the_other_and_back_with_an_audit_entry_each(self) -> None:
        other = fakes.registered_pack(name="other", digest=OTHER)
        pack = fakes.activated_pack()
        packs.activate(pack=other, actor=None)
        assert ModelPack.objects.get(is_active=True) == other
        packs.activate(pack=pack, actor=None)
        assert ModelPack.objects.get(is_active=True) == pack
        entries = AuditEntry.objects.filter(action=AuditAction.PACK_ACTIVATED).order_by("pk")
        assert [entry.details["before"] for entry in entries] == [None, pack.digest, other.digest]
        assert ThresholdPolicy.objects.count() == 2  # one a pack, kept

    def test_leaves_a_gallery_that_says_it_needs_re_embedding_and_never_mixes_packs(self) -> None:
        other = fakes.registered_pack(name="other", digest=OTHER)
        pack = fakes.activated_pack()
        fakes.person("Ada", fakes.probe())
        packs.activate(pack=other, actor=None)
        active = selectors.active()
        assert selectors.gallery_state(active.id).needs_reembedding
        assert gallery.search(fakes.probe(OTHER), active).people == ()
        with pytest.raises(PackMismatch):
            gallery.search(fakes.probe(), active)
        packs.activate(pack=pack, actor=None)
        assert not selectors.gallery_state(selectors.active().id).needs_reembedding
        assert gallery.search(fakes.probe(), selectors.active()).best is not None

    def test_the_database_refuses_two_active_packs(self) -> None:
        other = fakes.registered_pack(name="other", digest=OTHER)
        fakes.activated_pack()
        with pytest.raises(IntegrityError, match="one_active_pack"), transaction.atomic():
            ModelPack.objects.filter(pk=other.pk).update(is_active=True)


@pytest.mark.parametrize("active", [False, True])
def test_a_measurement_gives_the_active_pack_its_first_policy(active: bool) -> None:
    pack = fakes.activated_pack(decides=False) if active else fakes.registered_pack(decides=False)
    packs.record_measurement(pack=pack, operating_points=fakes.POINTS, measured_on="LFW", actor=None)
    assert ThresholdPolicy.objects.filter(pack=pack).count() == int(active)
    entry = AuditEntry.objects.get(action=AuditAction.PACK_MEASURED)
    assert entry.details["measured_on"] == "LFW"
