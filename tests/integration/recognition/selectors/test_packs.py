from __future__ import annotations

import pytest

from recognition.models import DenyListEntry, FaceSample, ModelPack, ThresholdPolicy
from recognition.selectors import packs
from recognition.selectors.packs import GalleryState, NoActivePack
from tests import fakes

pytestmark = pytest.mark.django_db


class TestActive:
    def test_without_a_pack_says_what_to_do(self) -> None:
        with pytest.raises(NoActivePack, match="faceweb models use opencv-zoo"):
            packs.active()

    def test_is_the_active_pack_with_its_active_policy(self) -> None:
        fakes.registered_pack(name="other", digest="e" * 64)
        pack = fakes.activated_pack()
        active = packs.active()
        assert (active.id, active.name, active.digest, active.dimension) == (
            pack.pk,
            "fake-pack",
            fakes.DIGEST,
            fakes.DIMENSION,
        )
        assert active.policy is not None
        assert (active.policy.identification_threshold, active.policy.verification_threshold) == (0.5, 0.4)
        assert active.policy_id == ThresholdPolicy.objects.get().pk

    def test_without_measured_thresholds_has_no_policy(self) -> None:
        fakes.activated_pack(decides=False)
        assert (packs.active().policy, packs.active().policy_id) == (None, None)

    def test_whose_measurement_was_withdrawn_decides_no_more(self) -> None:
        fakes.activated_pack()
        ModelPack.objects.update(operating_points=[])
        assert packs.active().policy is None


class TestGalleryState:
    def test_of_an_empty_gallery(self) -> None:
        pack = fakes.activated_pack()
        assert packs.gallery_state(pack.pk) == GalleryState(people=0, templates=0, samples_without_template=0)

    def test_counts_what_a_search_would_see(self) -> None:
        other = fakes.registered_pack(name="other", digest="e" * 64)
        pack = fakes.activated_pack()
        fakes.person("Ada", fakes.like_probe(0.1), fakes.like_probe(0.2))
        fakes.person("Bob", fakes.like_probe(0.3), fakes.probe(other.digest))
        fakes.person("Eve", fakes.probe(other.digest))
        fakes.person("Gone", fakes.probe(other.digest), is_active=False)
        fakes.person("Hidden", fakes.like_probe(0.4)).samples.update(status=FaceSample.Status.SET_ASIDE)
        fakes.person("Left", fakes.like_probe(0.5), is_active=False)
        assert packs.gallery_state(pack.pk) == GalleryState(people=2, templates=3, samples_without_template=2)
        assert packs.gallery_state(pack.pk).needs_reembedding
        assert packs.gallery_state(other.pk) == GalleryState(people=2, templates=2, samples_without_template=3)

    def test_counts_inactive_people_on_the_deny_list_because_a_search_sees_them(self) -> None:
        other = fakes.registered_pack(name="other", digest="e" * 64)
        pack = fakes.activated_pack()
        for embedding in (fakes.probe(), fakes.probe(other.digest)):
            person = fakes.person("Banned", embedding, is_active=False)
            DenyListEntry.objects.create(person=person, reason="a test")
        assert packs.gallery_state(pack.pk) == GalleryState(
            people=1, templates=1, samples_without_template=1, denied_in_vain=1
        )
