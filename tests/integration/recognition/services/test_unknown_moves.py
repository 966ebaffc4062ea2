"""What staff decides on unknown people, and that each decision can be undone."""

from __future__ import annotations

import math
from typing import Any

import pytest

from recognition.decision.policy import SampleReason
from recognition.models import (
    AuditAction,
    AuditEntry,
    ErasureCertificate,
    EventCrop,
    FaceSample,
    LegalHold,
    Person,
    RecognitionEvent,
    UnknownCluster,
    UnknownFace,
    UnknownMove,
)
from recognition.selectors import packs
from recognition.services import analysis, holds, unknown_moves, unknown_people, unknowns
from recognition.services.unknown_moves import UnknownRefused
from tests import fakes

pytestmark = pytest.mark.django_db

IN_THE_MIDDLE = fakes.box(x=43, y=43)


@pytest.fixture(autouse=True)
def analyser(monkeypatch: pytest.MonkeyPatch) -> fakes.FakeAnalyser:
    """Sees in the kept picture of each axis the face of that axis, on another day 25 degrees away: cosine 0.91."""
    fakes.activated_pack()
    found = fakes.FakeAnalyser(
        {
            f"{axis}{copy}".encode(): (
                fakes.embedded(fakes.like_probe(math.sin(math.radians(25 * copy)), axis=axis), where=IN_THE_MIDDLE),
            )
            for axis in range(1, 5)
            for copy in range(8)
        }
    )
    monkeypatch.setattr(analysis, "_analysers", [found])
    return found


def seen(axis: int, copy: int = 0, **quality: Any) -> RecognitionEvent:
    """A face of which a search found nobody; copies of an axis are one person on different days."""
    return fakes.unknown_face(axis, f"{axis}{copy}".encode(), quality=fakes.quality(**quality).as_json())


def grouped(*events: RecognitionEvent) -> UnknownCluster:
    """The group of the first event."""
    unknowns.group(pack=packs.active(), threshold=0.5)
    cluster = UnknownFace.objects.get(pk=events[0].pk).cluster
    assert cluster is not None
    return cluster


def samples_of(person: Person) -> list[int | None]:
    """The events of somebody's samples, in the order in which they were enrolled."""
    return list(FaceSample.objects.filter(person=person).order_by("pk").values_list("event", flat=True))


def enrolled(*events: RecognitionEvent) -> list[int | None]:
    """The same of a group of those faces."""
    return samples_of(unknown_people.assign(cluster=grouped(*events), person=fakes.person(), actor=None).person)


def now_of(cluster: UnknownCluster) -> tuple[str, Person | None, list[int]]:
    held = UnknownCluster.objects.get(pk=cluster.pk)
    return held.state, held.person, sorted(held.faces.values_list("pk", flat=True))


def undo(move: UnknownMove | None = None) -> unknown_moves.Undone:
    latest = move or UnknownMove.objects.filter(undone_at=None).latest("pk")
    return unknown_moves.undo(move=latest, actor=None, now=fakes.NOW)


class TestAssign:
    def test_enrols_the_best_faces_and_keeps_all_of_them_together(self) -> None:
        ada, actor = fakes.person("Ada"), fakes.user()
        blurred, sharp = seen(1, 0, sharpness=60.0), seen(1, 1, sharpness=150.0)
        cluster = grouped(blurred, sharp)
        assigned = unknown_people.assign(cluster=cluster, person=ada, actor=actor)
        assert (assigned.enrolled, assigned.set_aside, assigned.faults) == (2, 0, ())
        assert list(FaceSample.objects.order_by("pk").values_list("event", "person")) == [
            (sharp.pk, ada.pk),
            (blurred.pk, ada.pk),
        ]
        assert now_of(cluster) == ("assigned", ada, [blurred.pk, sharp.pk])
        entry = AuditEntry.objects.get(action=AuditAction.UNKNOWN_ASSIGNED)
        assert (entry.actor, entry.subject) == (actor, f"unknowncluster:{cluster.pk}")
        assert entry.details["person"] == ada.pk

    def test_the_first_is_most_like_the_others_then_the_better_ones(self) -> None:
        odd, middle, blurred = seen(1), seen(1, 1, sharpness=100.0), seen(1, 2, sharpness=60.0)
        for event, degrees in ((odd, 60), (middle, 25), (blurred, 0)):
            vector = fakes.like_probe(math.sin(math.radians(degrees)), axis=1).vector
            UnknownFace.objects.filter(pk=event.pk).update(embedding=vector)
        assert enrolled(odd, middle, blurred) == [middle.pk, odd.pk, blurred.pk]

    def test_of_two_who_are_like_each_other_the_better_one_is_the_first(self) -> None:
        bowed = seen(1, 0, scores=fakes.scores(unified_quality_score=40))
        upright = seen(1, 1, scores=fakes.scores(unified_quality_score=90), sharpness=150.0)
        assert enrolled(bowed, upright) == [upright.pk, bowed.pk]

    def test_what_another_pack_embedded_is_ordered_by_quality(self) -> None:
        blurred, sharp = seen(1, 0, sharpness=60.0), seen(1, 1)
        cluster = grouped(blurred, sharp)
        UnknownFace.objects.update(pack=fakes.registered_pack(name="other", digest="e" * 64))
        assigned = unknown_people.assign(cluster=cluster, person=fakes.person(), actor=None)
        assert samples_of(assigned.person) == [sharp.pk, blurred.pk]

    def test_of_many_visits_a_few_faces_are_enough(self) -> None:
        cluster = grouped(*[seen(1, copy) for copy in range(7)])
        assigned = unknown_people.assign(cluster=cluster, person=fakes.person(), actor=None)
        assert len(assigned.results) == unknown_people.MOST_ENROLLED

    def test_whom_they_are_holds_also_where_no_face_is_good_enough(self) -> None:
        cluster, ada = grouped(seen(1, 0, face_size_px=20.0)), fakes.person("Ada")
        assigned = unknown_people.assign(cluster=cluster, person=ada, actor=None)
        assert (assigned.enrolled, [fault.reason for fault in assigned.faults]) == (0, [SampleReason.FACE_TOO_SMALL])
        assert now_of(cluster)[:2] == ("assigned", ada)

    def test_a_face_that_is_like_somebody_else_is_set_aside(self) -> None:
        fakes.person("Bo", fakes.like_probe(0.0, axis=1))
        assigned = unknown_people.assign(cluster=grouped(seen(1)), person=fakes.person("Ada"), actor=None)
        assert (assigned.enrolled, assigned.set_aside) == (0, 1)

    def test_of_a_row_that_was_merged_they_are_whom_it_stands_for(self) -> None:
        ada = fakes.person("Ada")
        gone = Person.objects.create(name="A.", merged_into=ada)
        assert unknown_people.assign(cluster=grouped(seen(1)), person=gone, actor=None).person == ada

    def test_what_was_decided_is_not_decided_again(self) -> None:
        cluster, ada = grouped(seen(1)), fakes.person("Ada")
        unknown_people.assign(cluster=cluster, person=ada, actor=None)
        for act in (
            lambda: unknown_people.assign(cluster=cluster, person=fakes.person("Bo"), actor=None),
            lambda: unknown_people.make_person(cluster=cluster, name="Bo", actor=None),
            lambda: unknown_moves.ignore(cluster=cluster, actor=None),
        ):
            with pytest.raises(UnknownRefused, match="decided on this one meanwhile"):
                act()
        assert now_of(cluster)[:2] == ("assigned", ada)

    def test_undone_the_samples_go_and_nobody_knows_who_it_is(self) -> None:
        ada = fakes.person("Ada", fakes.like_probe(0.0, axis=3))
        event = seen(1)
        cluster = grouped(event)
        unknown_people.assign(cluster=cluster, person=ada, actor=None)
        assert undo().person is None
        assert now_of(cluster) == ("open", None, [event.pk])
        assert FaceSample.objects.count() == 1, "what they had before stays"
        assert Person.objects.get() == ada
        assert AuditEntry.objects.filter(action=AuditAction.UNKNOWN_MOVE_UNDONE).count() == 1

    def test_under_a_legal_hold_nothing_is_undone(self) -> None:
        ada, cluster = fakes.person("Ada"), grouped(seen(1))
        unknown_people.assign(cluster=cluster, person=ada, actor=None)
        LegalHold.objects.create(person=ada, reason="lawsuit")
        with pytest.raises(holds.DataHeld):
            undo()


class TestMakePerson:
    def test_makes_somebody_of_the_faces(self) -> None:
        cluster = grouped(seen(1), seen(1, 1))
        made = unknown_people.make_person(cluster=cluster, name="  Grace   Hopper ", actor=None)
        assert (made.person.name, made.enrolled) == ("Grace Hopper", 2)
        assert now_of(cluster)[:2] == ("assigned", made.person)

    def test_nobody_is_made_of_faces_that_cannot_be_enrolled(self) -> None:
        cluster = grouped(seen(1, 0, face_size_px=20.0))
        with pytest.raises(UnknownRefused, match="None of the faces can be enrolled") as refused:
            unknown_people.make_person(cluster=cluster, name="Grace", actor=None)
        assert [fault.reason for fault in refused.value.faults] == [SampleReason.FACE_TOO_SMALL]
        assert not Person.objects.exists()
        assert now_of(cluster)[0] == "open"

    @pytest.mark.parametrize("name", ["", "   ", "x" * 201])
    def test_a_name_is_needed(self, name: str) -> None:
        with pytest.raises(UnknownRefused, match="a name of 1 to 200"):
            unknown_people.make_person(cluster=grouped(seen(1)), name=name, actor=None)

    def test_undone_the_person_is_erased_and_the_faces_stay(self) -> None:
        event = seen(1)
        cluster = grouped(event)
        unknown_people.make_person(cluster=cluster, name="Grace", actor=None)
        assert undo().person is None
        assert not Person.objects.exists()
        assert ErasureCertificate.objects.get().reason == "mistake"
        assert now_of(cluster) == ("open", None, [event.pk])
        assert EventCrop.objects.count() == 1

    def test_undone_the_person_stays_where_something_else_is_known_of_them(self) -> None:
        cluster = grouped(seen(1))
        grace = unknown_people.make_person(cluster=cluster, name="Grace", actor=None).person
        fakes.event(person=grace, best_person=grace)
        assert undo().person == grace
        assert Person.objects.get() == grace
        assert not FaceSample.objects.exists()


class TestIgnore:
    def test_is_listed_apart_and_back_again(self) -> None:
        event = seen(1)
        cluster = grouped(event)
        unknown_moves.ignore(cluster=cluster, actor=None)
        assert now_of(cluster)[0] == "ignored"
        assert AuditEntry.objects.filter(action=AuditAction.UNKNOWN_IGNORED).count() == 1
        undo()
        assert now_of(cluster) == ("open", None, [event.pk])
        assert AuditEntry.objects.filter(action=AuditAction.UNKNOWN_MOVE_UNDONE).count() == 1


class TestSplit:
    def test_the_chosen_faces_are_somebody_else(self) -> None:
        one, two, three = seen(1), seen(1, 1), seen(1, 2)
        cluster = grouped(one)
        new = unknown_moves.split(cluster=cluster, faces=[two.pk], actor=None)
        assert now_of(cluster)[2] == [one.pk, three.pk]
        assert now_of(new) == ("open", None, [two.pk])
        later = seen(1, 3)
        grouped(later)
        undo()
        assert now_of(new)[2] == []
        assert set(now_of(cluster)[2]) >= {one.pk, two.pk, three.pk}

    def test_some_go_and_not_all(self) -> None:
        one, two = seen(1), seen(1, 1)
        stranger = seen(2)
        cluster = grouped(one)
        for faces in ([], [one.pk, two.pk], [stranger.pk]):
            with pytest.raises(UnknownRefused, match="some of the faces, and not all"):
                unknown_moves.split(cluster=cluster, faces=faces, actor=None)

    def test_a_face_that_joined_somebody_by_mistake_goes_and_a_sample_does_not(self) -> None:
        one, ada = seen(1), fakes.person("Ada")
        cluster = grouped(one)
        unknown_people.assign(cluster=cluster, person=ada, actor=None)
        later = seen(1, 1)
        grouped(later)
        with pytest.raises(UnknownRefused, match="is a sample of Ada"):
            unknown_moves.split(cluster=cluster, faces=[one.pk], actor=None)
        new = unknown_moves.split(cluster=cluster, faces=[later.pk], actor=None)
        assert now_of(new) == ("open", None, [later.pk])


class TestMerge:
    def test_several_are_one_and_apart_again(self) -> None:
        one, two, three = seen(1), seen(2), seen(3)
        clusters = [grouped(each) for each in (one, two, three)]
        kept = unknown_moves.merge(clusters=clusters, actor=None)
        assert kept == min(clusters, key=lambda cluster: cluster.pk)
        assert now_of(kept)[2] == [one.pk, two.pk, three.pk]
        undo()
        assert [now_of(cluster)[2] for cluster in clusters] == [[one.pk], [two.pk], [three.pk]]
        unknowns.group(pack=packs.active(), threshold=-1.0)
        assert [now_of(cluster)[2] for cluster in clusters] == [[one.pk], [two.pk], [three.pk]]

    def test_one_alone_and_one_that_was_decided_on_are_refused(self) -> None:
        one, two = grouped(seen(1)), grouped(seen(2))
        with pytest.raises(UnknownRefused, match="two or more"):
            unknown_moves.merge(clusters=[one, one], actor=None)
        unknown_moves.ignore(cluster=two, actor=None)
        with pytest.raises(UnknownRefused, match="decided on this one meanwhile"):
            unknown_moves.merge(clusters=[one, two], actor=None)


class TestUndo:
    def test_the_latest_decision_on_a_group_is_undone_first(self) -> None:
        one, two = grouped(seen(1)), grouped(seen(2))
        kept = unknown_moves.merge(clusters=[one, two], actor=None)
        merge = UnknownMove.objects.get()
        unknown_moves.ignore(cluster=kept, actor=None)
        with pytest.raises(UnknownRefused, match="Undo that first"):
            undo(merge)
        undo()
        undo(merge)
        with pytest.raises(UnknownRefused, match="undone already"):
            undo(merge)

    def test_what_was_decided_on_others_is_in_nobodys_way(self) -> None:
        one, two = grouped(seen(1)), grouped(seen(2))
        first = unknown_moves.ignore(cluster=one, actor=None)
        unknown_moves.ignore(cluster=two, actor=None)
        undo(first)
        assert now_of(one)[0] == "open"

    def test_a_group_that_went_with_its_pictures_has_nothing_to_undo(self) -> None:
        move = unknown_moves.ignore(cluster=grouped(seen(1)), actor=None)
        UnknownCluster.objects.all().delete()
        with pytest.raises(UnknownRefused, match="One of them is gone"):
            undo(move)


class TestErasure:
    def test_takes_the_group_its_vectors_and_its_pictures(self) -> None:
        ada, stranger = fakes.person("Ada"), seen(2)
        unknown_people.assign(cluster=grouped(*[seen(1, copy) for copy in range(7)]), person=ada, actor=None)
        fakes.erase(ada)
        assert list(UnknownFace.objects.values_list("pk", flat=True)) == [stranger.pk]
        assert list(EventCrop.objects.values_list("pk", flat=True)) == [stranger.pk]
        assert RecognitionEvent.objects.count() == 8
        deleted = ErasureCertificate.objects.get().contents["deleted"]
        assert (deleted["unknown_faces"], deleted["event_crops"]) == (7, 7)

    def test_waits_for_a_hold_on_an_event_that_somebody_said_is_theirs(self) -> None:
        ada, event = fakes.person("Ada"), seen(1, 0, face_size_px=20.0)
        unknown_people.assign(cluster=grouped(event), person=ada, actor=None)
        event.holds.create(reason="lawsuit")
        assert fakes.erase(ada).state == "waiting_for_hold"
        assert UnknownFace.objects.exists()
