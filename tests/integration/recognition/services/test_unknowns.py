"""Unknown faces are grouped on a real database; what staff decided stays, and vectors go with their pictures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import pytest
from django.utils import timezone

from recognition.decision.policy import Policy
from recognition.models import (
    EventCrop,
    FaceSample,
    ModelPack,
    RecognitionEvent,
    RetentionRule,
    UnknownCluster,
    UnknownFace,
)
from recognition.selectors import packs
from recognition.selectors import unknowns as read
from recognition.services import retention, unknown_moves, unknown_people, unknowns
from tests import fakes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def pack() -> ModelPack:
    return fakes.activated_pack()


def groups() -> list[list[int]]:
    clusters = UnknownCluster.objects.filter(faces__isnull=False).distinct()
    return sorted(sorted(each.faces.values_list("pk", flat=True)) for each in clusters)


def group() -> unknowns.Grouped:
    return unknowns.group(pack=packs.active(), threshold=Policy(1, 0.5, 0.4).identification_threshold)


def cluster_of(event: RecognitionEvent) -> UnknownCluster:
    cluster = UnknownFace.objects.get(pk=event.pk).cluster
    assert cluster is not None
    return cluster


def waiting() -> Collection[int]:
    return set(read.to_embed(packs.active().id).values_list("pk", flat=True))


class TestWhoIsUnknown:
    def test_nobody_before_anything_was_seen(self) -> None:
        assert not waiting()
        assert group() == unknowns.Grouped(faces=0, joined=0, made=0, merged=0)

    def test_whom_a_search_did_not_find_and_of_whom_a_picture_is_kept(self) -> None:
        unknown = fakes.unknown_event()
        fakes.event(decision="reject_no_match")  # without a picture
        for other in ("accept", "reject_ambiguous", "reject_not_allowed"):
            EventCrop.objects.create(event=fakes.event(decision=other), jpeg=b"a crop")
        # Not confirmed to be the claimed person: it may be anybody who is enrolled.
        claim = fakes.event(decision="reject_no_match", kind="verification")
        EventCrop.objects.create(event=claim, jpeg=b"a crop")
        assert waiting() == {unknown.pk}

    def test_not_whoever_was_enrolled_from_the_event(self) -> None:
        event = fakes.unknown_event()
        fakes.person("Ada", fakes.probe())
        FaceSample.objects.update(event=event)
        assert not waiting()

    def test_nobody_again_after_the_pack_has_looked(self) -> None:
        fakes.unknown_face(1)
        event = fakes.unknown_event()
        unknowns.store_vectors(pack=packs.active(), embeddings={event.pk: None})
        assert not waiting()
        assert group().faces == 1

    def test_everybody_again_for_another_pack_and_each_stays_in_its_group(self) -> None:
        one, other = fakes.unknown_face(1), fakes.unknown_face(1)
        group()
        fakes.activated_pack(name="other", digest="e" * 64)
        assert waiting() == {one.pk, other.pk}
        vectors = {
            event.pk: fakes.like_probe(0.0, axis=axis, pack_digest="e" * 64) for event, axis in ((one, 1), (other, 2))
        }
        unknowns.store_vectors(pack=packs.active(), embeddings=vectors)
        group()
        assert groups() == [[one.pk, other.pk]]

    def test_a_picture_that_is_gone_leaves_no_vector(self) -> None:
        event = fakes.unknown_event()
        EventCrop.objects.all().delete()
        unknowns.store_vectors(pack=packs.active(), embeddings={event.pk: fakes.probe()})
        assert not UnknownFace.objects.exists()


class TestGrouping:
    def test_faces_that_are_alike_are_one_person_to_be(self) -> None:
        one, two, three = fakes.unknown_face(1), fakes.unknown_face(2), fakes.unknown_face(1)
        assert group() == unknowns.Grouped(faces=3, joined=0, made=2, merged=0)
        assert groups() == [[one.pk, three.pk], [two.pk]]

    def test_a_later_run_adds_what_came(self) -> None:
        one = fakes.unknown_face(1)
        group()
        two, three = fakes.unknown_face(1), fakes.unknown_face(3)
        assert group() == unknowns.Grouped(faces=3, joined=1, made=1, merged=0)
        assert groups() == [[one.pk, two.pk], [three.pk]]
        assert group() == unknowns.Grouped(faces=3, joined=0, made=0, merged=0)

    def test_whoever_is_like_an_ignored_one_joins_it(self) -> None:
        one = fakes.unknown_face(1)
        group()
        unknown_moves.ignore(cluster=cluster_of(one), actor=None)
        two = fakes.unknown_face(1)
        group()
        assert cluster_of(two) == cluster_of(one)
        assert cluster_of(two).state == UnknownCluster.State.IGNORED

    def test_whoever_is_like_an_assigned_one_joins_it(self) -> None:
        one, ada = fakes.unknown_face(1, quality={}), fakes.person("Ada")
        group()
        unknown_people.assign(cluster=cluster_of(one), person=ada, actor=None)
        two = fakes.unknown_face(1)
        group()
        assert cluster_of(two) == cluster_of(one)
        assert (cluster_of(one).state, cluster_of(one).person) == (UnknownCluster.State.ASSIGNED, ada)

    def test_what_was_split_stays_apart(self) -> None:
        one, two = fakes.unknown_face(1), fakes.unknown_face(1)
        group()
        unknown_moves.split(cluster=cluster_of(one), faces=[two.pk], actor=None)
        three = fakes.unknown_face(1)
        group()
        assert cluster_of(one) != cluster_of(two)
        assert cluster_of(three) in (cluster_of(one), cluster_of(two))

    def test_what_was_merged_stays_one(self) -> None:
        one, two = fakes.unknown_face(1), fakes.unknown_face(2)
        group()
        unknown_moves.merge(clusters=[cluster_of(one), cluster_of(two)], actor=None)
        group()
        assert groups() == [[one.pk, two.pk]]


class TestHowLongItIsKept:
    def test_a_vector_goes_with_its_event(self) -> None:
        one, two = fakes.unknown_face(1), fakes.unknown_face(2)
        group()
        one.delete()
        assert list(UnknownFace.objects.values_list("pk", flat=True)) == [two.pk]
        group()
        assert UnknownCluster.objects.count() == 1

    @pytest.mark.parametrize("days", [{"event_days": 30}, {"crop_days": 30}])
    def test_retention_takes_vectors_with_events_and_with_pictures(self, days: dict[str, int]) -> None:
        now = timezone.now()
        fakes.unknown_face(1, decided_at=now - dt.timedelta(days=31))
        kept = fakes.unknown_face(1, decided_at=now)
        group()
        RetentionRule.objects.filter(code="unknown").update(**days)
        retention.apply(now=now)
        assert list(UnknownFace.objects.values_list("pk", flat=True)) == [kept.pk]

    def test_what_an_undo_would_fill_again_is_not_forgotten(self) -> None:
        one, two = fakes.unknown_face(1), fakes.unknown_face(2)
        group()
        gone = cluster_of(two)
        unknown_moves.merge(clusters=[cluster_of(one), gone], actor=None)
        group()
        assert UnknownCluster.objects.filter(pk=gone.pk).exists()


def test_the_list_shows_whom_when_and_where_the_most_often_seen_first() -> None:
    door = fakes.checkpoint("door")
    days = [fakes.NOW + dt.timedelta(days=day) for day in range(6)]
    once = fakes.unknown_face(2, decided_at=days[5])
    where: list[dict[str, Any]] = [{}, {}, {"reasons": fakes.FROM_VIDEO}, {"checkpoint": door}, {"checkpoint": door}]
    often = [fakes.unknown_face(1, decided_at=day, **place) for day, place in zip(days[:5], where, strict=True)]
    group()
    found = read.summaries(list(read.clusters("open")))
    assert [each.count for each in found] == [5, 1]
    assert (found[0].first_seen, found[0].last_seen) == (days[0], days[4])
    assert [str(place) for place in found[0].places] == ["live page", "video", "door"]
    assert found[0].pictures == tuple(event.pk for event in reversed(often[1:]))
    assert found[1].pictures == (once.pk,)
    assert read.counts() == {"open": 2, "assigned": 0, "ignored": 0}


def test_a_cluster_shows_its_faces_the_newest_first() -> None:
    fakes.person("Ada", fakes.probe())
    one = fakes.unknown_face(1)
    two = fakes.unknown_face(1, decided_at=fakes.NOW + dt.timedelta(days=1))
    fakes.unknown_face(2)
    FaceSample.objects.update(event=one)
    group()
    found = read.sightings(cluster_of(one))
    assert [(each.face, bool(each.samples)) for each in found] == [(two.pk, False), (one.pk, True)]


class TestWhoItMayBe:
    def test_those_who_are_enrolled_now_the_most_alike_first(self) -> None:
        bo = fakes.person("Bo", fakes.like_probe(0.8, axis=1))
        ada = fakes.person("Ada", fakes.like_probe(0.1, axis=1))
        one = fakes.unknown_face(1)
        group()
        found = read.people_like(cluster_of(one), packs.active())
        assert [each.person for each in found] == [ada, bo]
        assert [each.similarity for each in found] == pytest.approx([0.995, 0.6], abs=1e-3)
        assert found[0].sample == FaceSample.objects.get(person=ada).pk

    def test_other_groups_that_were_kept_apart_or_are_nearly_alike(self) -> None:
        one, two = fakes.unknown_face(1), fakes.unknown_face(1)
        stranger = fakes.unknown_face(3)
        group()
        cluster = cluster_of(one)
        assert not read.clusters_like(cluster, packs.active())
        apart = unknown_moves.split(cluster=cluster, faces=[two.pk], actor=None)
        (found,) = read.clusters_like(cluster, packs.active())
        assert (found.summary.cluster, found.summary.pictures) == (apart, (two.pk,))
        assert found.similarity == pytest.approx(1.0)
        unknown_moves.ignore(cluster=apart, actor=None)
        assert not read.clusters_like(cluster, packs.active())
        assert not read.clusters_like(cluster_of(stranger), packs.active())

    def test_nobody_where_the_pack_has_not_looked_at_the_faces(self) -> None:
        one = fakes.unknown_face(1)
        group()
        fakes.activated_pack(name="other", digest="e" * 64)
        assert not read.people_like(cluster_of(one), packs.active())
        assert not read.clusters_like(cluster_of(one), packs.active())
