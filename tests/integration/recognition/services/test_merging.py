from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recognition.models import (
    AuditAction,
    AuditEntry,
    DenyListEntry,
    DistinctPair,
    FaceSample,
    Person,
    PersonGroup,
    PersonMove,
)
from recognition.selectors import gallery, packs
from recognition.selectors import people as people_read
from recognition.services import analysis, deny_list, doubts, enrolment, merging, people
from recognition.services.merging import MoveRefused
from tests import fakes

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(db: None) -> Person:
    fakes.activated_pack()
    return fakes.person("Ada", fakes.probe(), fakes.like_probe(0.9))


@pytest.fixture
def bob(ada: Person) -> Person:
    return fakes.person("Bob", fakes.like_probe(0.7, axis=3))


def merged(keep: Person, gone: Person) -> PersonMove:
    move = merging.merge(keep=keep, gone=gone, actor=None)
    keep.refresh_from_db()
    gone.refresh_from_db()
    return move


def undone(move: PersonMove) -> merging.Undone:
    return merging.undo(move=move, actor=None, now=fakes.NOW)


def everything() -> dict[str, Any]:
    """What a merge may change, of everybody."""
    fields = ("pk", "name", "external_id", "notes", "is_active", "is_suspended", "pin_hash", "merged_into_id")
    return {
        "people": list(Person.objects.order_by("pk").values(*fields)),
        "groups": sorted(Person.groups.through.objects.values_list("person_id", "persongroup_id")),
        "samples": sorted(FaceSample.objects.values_list("pk", "person_id", "status")),
        "denied": sorted(DenyListEntry.objects.values_list("pk", "person_id", "reason")),
        "apart": sorted(DistinctPair.objects.values_list("first_id", "second_id")),
    }


class TestMerge:
    def test_all_samples_are_one_persons_and_the_other_is_hidden(self, ada: Person, bob: Person) -> None:
        merged(ada, bob)
        assert ada.samples.count() == 3
        assert (bob.merged_into, bob.is_active) == (ada, False)
        found = gallery.search(fakes.like_probe(0.7, axis=3), packs.active())
        assert [candidate.person_id for candidate in found.people] == [ada.pk]
        assert list(people_read.named("Bob")) == []
        entry = AuditEntry.objects.get(action=AuditAction.PERSON_MERGED)
        assert (entry.subject, entry.details["gone"]) == (f"person:{ada.pk}", bob.pk)

    def test_a_file_that_both_have_stays_behind_and_is_not_searched(self, ada: Person, bob: Person) -> None:
        sample = bob.samples.get()
        FaceSample.objects.filter(pk=sample.pk).update(image_sha256=ada.samples.earliest("pk").image_sha256)
        DenyListEntry.objects.create(person=ada, reason="kept")
        DenyListEntry.objects.create(person=bob, reason="stays behind")
        merged(ada, bob)
        sample.refresh_from_db()
        assert sample.person == bob
        everybody = gallery.search_denied(fakes.like_probe(0.7, axis=3), packs.active())
        assert [candidate.person_id for candidate in everybody.people] == [ada.pk]

    @pytest.mark.parametrize(
        ("ada_has", "bob_has", "one_has"),
        [
            ({}, {}, {}),
            ({"notes": "a"}, {"notes": "b"}, {"notes": "a\nb"}),
            ({}, {"external_id": "7", "pin_hash": "x"}, {"external_id": "7", "pin_hash": "x"}),
            ({"external_id": "1", "pin_hash": "y"}, {"external_id": "7", "pin_hash": "x"}, {"external_id": "1"}),
            ({}, {"is_suspended": True}, {"is_suspended": True}),
            ({"is_suspended": True}, {}, {"is_suspended": True}),
            ({}, {"is_active": False}, {"is_active": True}),
            ({"is_active": False}, {}, {"is_active": False}),
        ],
    )
    def test_what_both_have_becomes_one(
        self, ada: Person, bob: Person, ada_has: dict[str, Any], bob_has: dict[str, Any], one_has: dict[str, Any]
    ) -> None:
        Person.objects.filter(pk=ada.pk).update(**ada_has)
        Person.objects.filter(pk=bob.pk).update(**bob_has)
        before = everything()
        move = merged(ada, bob)
        assert {field: getattr(ada, field) for field in one_has} == one_has
        undone(move)
        assert everything() == before

    @pytest.mark.parametrize("banned", ["Ada", "Bob"])
    def test_whoever_was_banned_stays_banned(self, ada: Person, bob: Person, banned: str) -> None:
        DenyListEntry.objects.create(person=Person.objects.get(name=banned), reason="theft")
        before = everything()
        move = merged(ada, bob)
        assert ada.deny_list_entry.reason == "theft"
        undone(move)
        assert everything() == before

    def test_groups_are_united(self, ada: Person, bob: Person) -> None:
        staff, guests = (PersonGroup.objects.create(name=name) for name in ("staff", "guests"))
        ada.groups.add(staff)
        bob.groups.add(staff, guests)
        before = everything()
        move = merged(ada, bob)
        assert set(ada.groups.all()) == {staff, guests}
        undone(move)
        assert everything() == before

    def test_a_claim_of_the_other_id_leads_to_the_one_who_stays(self, ada: Person, bob: Person) -> None:
        Person.objects.filter(pk=ada.pk).update(external_id="1")
        Person.objects.filter(pk=bob.pk).update(external_id="7")
        merged(ada, bob)
        assert people_read.claimed("7") == ada
        assert people_read.claimed("1") == ada
        Person.objects.filter(pk=ada.pk).update(is_active=False)
        assert people_read.claimed("7") is None

    def test_who_was_told_apart_from_one_is_from_both(self, ada: Person, bob: Person) -> None:
        cleo = fakes.person("Cleo")
        DistinctPair.objects.create(first=bob, second=cleo)
        DistinctPair.objects.create(first=ada, second=bob)
        before = everything()
        move = merged(ada, bob)
        assert DistinctPair.objects.filter(first=ada, second=cleo).exists()
        assert not DistinctPair.objects.filter(first=ada, second=bob).exists()
        undone(move)
        assert everything() == before

    def test_samples_that_waited_for_it_are_searched(self, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
        photo = {b"a photo": (fakes.embedded(fakes.like_probe(0.8)),)}
        monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser(photo)])
        alias = fakes.person("Alias")
        result = enrolment.add_sample(person=alias, data=b"a photo", source=FaceSample.Source.UPLOAD, actor=None)
        assert result.doubts
        before = everything()
        move = merged(ada, alias)
        assert FaceSample.objects.get(pk=result.sample_id or 0).status == "active"
        undone(move)
        assert everything() == before

    def test_a_name_that_was_merged_is_not_enrolled_anew(self, ada: Person, bob: Person) -> None:
        merged(ada, bob)
        assert enrolment.find_or_create_person(name="Bob", actor=None) == ada

    def test_a_photo_for_somebody_merged_meanwhile_goes_to_who_they_are(
        self, ada: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        photo = {b"a photo": (fakes.embedded(fakes.like_probe(0.6)),)}
        monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser(photo)])
        merging.merge(keep=ada, gone=bob, actor=None)
        result = enrolment.add_sample(person=bob, data=b"a photo", source=FaceSample.Source.UPLOAD, actor=None)
        assert FaceSample.objects.get(pk=result.sample_id or 0).person == ada

    def test_a_row_that_was_merged_is_not_put_on_the_deny_list_in_vain(self, ada: Person, bob: Person) -> None:
        merging.merge(keep=ada, gone=bob, actor=None)
        with pytest.raises(deny_list.DenyListRefused, match="Put Ada on the list"):
            deny_list.add(person=bob, reason="theft", actor=fakes.user())
        assert not DenyListEntry.objects.exists()

    def test_one_person_is_not_merged_with_themselves(self, ada: Person) -> None:
        with pytest.raises(MoveRefused, match="one person already"):
            merging.merge(keep=ada, gone=ada, actor=None)

    @pytest.mark.parametrize("without", ["Ada", "Bob"])
    def test_photos_are_kept_of_both_or_of_neither(self, ada: Person, bob: Person, without: str) -> None:
        people.set_keeps_photos(person=Person.objects.get(name=without), keeps=False, actor=None)
        before = everything()
        with pytest.raises(MoveRefused, match=f"No photos are kept of {without}"):
            merging.merge(keep=ada, gone=bob, actor=None)
        assert everything() == before

    def test_nobody_is_merged_twice(self, ada: Person, bob: Person) -> None:
        merged(ada, bob)
        for keep, gone in ((ada, bob), (bob, ada), (bob, fakes.person("Cleo"))):
            with pytest.raises(MoveRefused, match="meanwhile"):
                merging.merge(keep=keep, gone=gone, actor=None)


class TestUndo:
    def test_what_was_changed_since_stays(self, ada: Person, bob: Person) -> None:
        Person.objects.filter(pk=bob.pk).update(notes="of Bob")
        move = merged(ada, bob)
        ada.notes = "written since"
        ada.save()
        people.delete_sample(sample=ada.samples.latest("pk"), actor=None)
        assert undone(move) == merging.Undone(samples=0, missing=1)
        ada.refresh_from_db()
        bob.refresh_from_db()
        assert (ada.notes, bob.notes) == ("written since", "of Bob")

    def test_an_id_that_somebody_else_has_meanwhile_does_not_come_back(self, ada: Person, bob: Person) -> None:
        Person.objects.filter(pk=bob.pk).update(external_id="7")
        move = merged(ada, bob)
        Person.objects.filter(pk=ada.pk).update(external_id="1")
        Person.objects.create(name="Cleo", external_id="7")
        undone(move)
        bob.refresh_from_db()
        assert bob.external_id is None

    def test_whoever_wants_no_photos_since_wants_none_of_either(self, ada: Person, bob: Person) -> None:
        move = merged(ada, bob)
        people.set_keeps_photos(person=ada, keeps=False, actor=None)
        undone(move)
        bob.refresh_from_db()
        assert not bob.keeps_photos

    def test_of_somebody_deleted_it_says_so(self, ada: Person, bob: Person) -> None:
        move = merged(ada, bob)
        fakes.erase(ada)
        with pytest.raises(MoveRefused, match="deleted meanwhile"):
            undone(move)

    def test_is_done_once(self, ada: Person, bob: Person) -> None:
        move = merged(ada, bob)
        undone(move)
        with pytest.raises(MoveRefused, match="already"):
            undone(move)

    def test_the_later_move_comes_first(self, ada: Person, bob: Person) -> None:
        first = merged(ada, bob)
        second = merged(fakes.person("Cleo"), ada)
        with pytest.raises(MoveRefused, match="Undo that first"):
            undone(first)
        undone(second)
        undone(first)
        assert {sample.person.name for sample in FaceSample.objects.all()} == {"Ada", "Bob"}


class TestSplit:
    def test_the_chosen_samples_are_somebody_elses_and_both_are_told_apart(self, ada: Person) -> None:
        sample = ada.samples.latest("pk")
        move = merging.split(person=ada, samples=[sample.pk], name="  Eve  Adams ", actor=None)
        assert move.target.name == "Eve Adams"
        assert list(move.target.samples.all()) == [sample]
        assert DistinctPair.objects.filter(first=ada, second=move.target).exists()
        assert AuditEntry.objects.filter(action=AuditAction.PERSON_SPLIT).count() == 1

    def test_what_stands_against_one_stands_against_both(self, ada: Person) -> None:
        Person.objects.filter(pk=ada.pk).update(is_suspended=True, valid_until=fakes.NOW)
        DenyListEntry.objects.create(person=ada, reason="theft")
        ada.groups.add(PersonGroup.objects.create(name="staff"))
        new = merging.split(person=ada, samples=[ada.samples.latest("pk").pk], name="Eve", actor=None).target
        assert (new.is_suspended, new.valid_until, new.deny_list_entry.reason) == (True, fakes.NOW, "theft")
        assert not new.groups.exists()

    @pytest.mark.parametrize("chosen", ["none", "all", "somebody else's"])
    def test_some_samples_go_and_not_all(self, ada: Person, bob: Person, chosen: str) -> None:
        numbers = {"none": [], "all": list(ada.samples.values_list("pk", flat=True))}
        with pytest.raises(MoveRefused, match="not all"):
            merging.split(person=ada, samples=numbers.get(chosen, [bob.samples.get().pk]), name="Eve", actor=None)

    @pytest.mark.parametrize("name", ["", "  ", "x" * 201])
    def test_the_new_person_has_a_name(self, ada: Person, name: str) -> None:
        with pytest.raises(MoveRefused, match="1 to 200"):
            merging.split(person=ada, samples=[ada.samples.latest("pk").pk], name=name, actor=None)

    def test_undone_it_is_as_before(self, ada: Person) -> None:
        DenyListEntry.objects.create(person=ada, reason="theft")
        before = sorted(FaceSample.objects.values_list("pk", "person_id"))
        move = merging.split(person=ada, samples=[ada.samples.latest("pk").pk], name="Eve", actor=None)
        assert undone(move) == merging.Undone(samples=1, missing=0)
        assert sorted(FaceSample.objects.values_list("pk", "person_id")) == before
        assert not DistinctPair.objects.exists()
        assert DenyListEntry.objects.count() == 1
        assert people_read.following_merges(Person.objects.get(name="Eve")) == ada

    def test_with_more_samples_since_it_is_not_undone(self, ada: Person) -> None:
        move = merging.split(person=ada, samples=[ada.samples.latest("pk").pk], name="Eve", actor=None)
        FaceSample.objects.create(person=move.target, source="upload", quality={}, image_sha256="new")
        with pytest.raises(MoveRefused, match="Merge the two"):
            undone(move)

    @pytest.mark.parametrize("against", ["suspended", "denied"])
    def test_what_was_said_against_the_new_person_since_is_not_lost(self, ada: Person, against: str) -> None:
        move = merging.split(person=ada, samples=[ada.samples.latest("pk").pk], name="Eve", actor=None)
        if against == "denied":
            DenyListEntry.objects.create(person=move.target, reason="theft")
        else:
            Person.objects.filter(pk=move.target_id).update(is_suspended=True)
        before = everything()
        with pytest.raises(MoveRefused, match="suspended or on the deny list"):
            undone(move)
        assert everything() == before

    def test_photos_are_kept_of_both_or_the_split_stays(self, ada: Person) -> None:
        move = merging.split(person=ada, samples=[ada.samples.latest("pk").pk], name="Eve", actor=None)
        people.set_keeps_photos(person=ada, keeps=False, actor=None)
        with pytest.raises(MoveRefused, match="one of the two alone"):
            undone(move)


def waiting(person: Person, similarity: float, *reasons: str, like: Person, axis: int = 1) -> FaceSample:
    """A sample of a person that is set aside, as like or unlike a sample of somebody."""
    sample = fakes.person("helper", fakes.like_probe(similarity, axis=axis)).samples.get()
    against = like.samples.earliest("pk").pk
    sample.person, sample.status = person, FaceSample.Status.SET_ASIDE
    sample.doubts = [
        {"reason": reason, "similarity": similarity, "limit": 0.5, "sample": against, "person": like.pk}
        for reason in reasons
    ]
    sample.save()
    return sample


def status_of(sample: FaceSample) -> str:
    sample.refresh_from_db()
    return sample.status


def reasons_of(sample: FaceSample) -> list[str]:
    sample.refresh_from_db()
    return [doubt["reason"] for doubt in sample.doubts]


CONFLICT, OUTLIER, DUPLICATE = "identity_conflict", "own_outlier", "duplicate_sample"


class TestDoubtsThatAMergeMakesVoid:
    def test_like_the_other_and_therefore_unlike_the_own(self, ada: Person, bob: Person) -> None:
        sample = waiting(bob, 0.7, CONFLICT, OUTLIER, like=ada, axis=5)
        before = everything()
        move = merged(ada, bob)
        assert status_of(sample) == "active"
        entry = AuditEntry.objects.get(action=AuditAction.SAMPLE_STATUS_CHANGED)
        assert entry.details == {"before": "set_aside", "after": "active"}
        undone(move)
        assert everything() == before
        assert reasons_of(sample) == [CONFLICT, OUTLIER]
        entry = AuditEntry.objects.filter(action=AuditAction.SAMPLE_STATUS_CHANGED).latest("pk")
        assert entry.details == {"before": "active", "after": "set_aside", "move": move.pk}

    def test_unlike_the_own_and_like_the_other_who_is_the_same_now(self, ada: Person, bob: Person) -> None:
        sample = waiting(bob, 0.45, OUTLIER, like=bob, axis=5)
        merged(bob, ada)
        assert status_of(sample) == "active"

    def test_one_that_is_like_neither_stays(self, ada: Person, bob: Person) -> None:
        sample = waiting(bob, 0.05, OUTLIER, like=bob, axis=5)
        move = merged(ada, bob)
        assert (status_of(sample), reasons_of(sample)) == ("set_aside", [OUTLIER])
        undone(move)
        assert status_of(sample) == "set_aside"

    def test_one_that_waits_for_more_stays_for_what_is_left(self, ada: Person, bob: Person) -> None:
        sample = waiting(bob, 0.99, CONFLICT, OUTLIER, DUPLICATE, like=ada)
        before = list(sample.doubts)
        move = merged(ada, bob)
        assert (status_of(sample), reasons_of(sample)) == ("set_aside", [DUPLICATE])
        undone(move)
        sample.refresh_from_db()
        assert sample.doubts == before

    def test_one_that_did_not_wait_for_being_nearly_the_same_picture_does_not_begin_to(
        self, ada: Person, bob: Person
    ) -> None:
        sample = waiting(bob, 0.99, CONFLICT, OUTLIER, like=ada)
        merged(ada, bob)
        assert status_of(sample) == "active"

    def test_what_was_nearly_the_same_picture_is_no_affair_of_a_merge(self, ada: Person, bob: Person) -> None:
        sample = waiting(bob, 0.7, DUPLICATE, like=bob, axis=5)
        merged(ada, bob)
        assert (status_of(sample), reasons_of(sample)) == ("set_aside", [DUPLICATE])

    def test_of_a_third_one_who_was_told_apart_from_who_stays(self, ada: Person, bob: Person) -> None:
        eve = fakes.person("Eve")
        doubts.tell_apart(person=ada, other=eve, actor=None)
        sample = waiting(eve, 0.6, CONFLICT, like=bob, axis=3)
        move = merged(ada, bob)
        assert status_of(sample) == "active"
        undone(move)
        assert status_of(sample) == "set_aside"

    def test_of_a_third_one_who_is_like_both_names_who_stays(self, ada: Person, bob: Person) -> None:
        sample = waiting(fakes.person("Eve"), 0.7, CONFLICT, like=bob, axis=3)
        merged(ada, bob)
        assert status_of(sample) == "set_aside"
        assert [doubt["person"] for doubt in sample.doubts] == [ada.pk]

    def test_what_somebody_set_aside_by_hand_stays(self, ada: Person, bob: Person) -> None:
        sample = waiting(bob, 0.7, CONFLICT, like=ada, axis=5)
        for status in (FaceSample.Status.ACTIVE, FaceSample.Status.SET_ASIDE):
            people.set_sample_status(sample=sample, status=status, actor=None)
        merged(ada, bob)
        assert status_of(sample) == "set_aside"

    def test_merged_again_after_an_undo_it_is_used_again(self, ada: Person, bob: Person) -> None:
        sample = waiting(bob, 0.7, CONFLICT, like=ada, axis=5)
        undone(merged(ada, bob))
        ada.refresh_from_db()
        bob.refresh_from_db()
        merged(ada, bob)
        assert status_of(sample) == "active"

    def test_what_somebody_set_aside_since_is_not_set_aside_again(self, ada: Person, bob: Person) -> None:
        sample = waiting(bob, 0.7, CONFLICT, like=ada, axis=5)
        move = merged(ada, bob)
        sample.refresh_from_db()
        people.set_sample_status(sample=sample, status=FaceSample.Status.SET_ASIDE, actor=None)
        changes = AuditEntry.objects.filter(action=AuditAction.SAMPLE_STATUS_CHANGED)
        assert changes.count() == 2
        undone(move)
        assert (status_of(sample), changes.count()) == ("set_aside", 2)

    def test_without_a_template_only_what_is_known_without_measuring(self, ada: Person, bob: Person) -> None:
        both = waiting(bob, 0.7, CONFLICT, OUTLIER, like=ada, axis=5)
        alone = waiting(bob, 0.7, CONFLICT, like=ada, axis=6)
        for sample in (both, alone):
            sample.templates.all().delete()
        merged(ada, bob)
        assert (status_of(both), reasons_of(both)) == ("set_aside", [OUTLIER])
        assert status_of(alone) == "active"

    def test_a_merge_of_before_samples_were_judged_again_is_undone_too(self, ada: Person, bob: Person) -> None:
        sample = waiting(bob, 0.7, CONFLICT, like=ada, axis=5)
        move = merged(ada, bob)
        move.before = {**move.before, "freed": [sample.pk]}
        del move.before["judged"]
        move.save()
        undone(move)
        assert status_of(sample) == "set_aside"


class TestDoubtsThatASplitMakesVoid:
    def test_unlike_the_rest_and_gone_with_those_that_it_is_like(self, ada: Person) -> None:
        stranger = waiting(ada, 0.1, OUTLIER, like=ada, axis=5)
        friend = waiting(ada, 0.1, OUTLIER, like=ada, axis=6)
        before = everything()
        move = merging.split(person=ada, samples={stranger.pk, friend.pk}, name="Eve", actor=None)
        assert status_of(stranger) == "active"
        assert (status_of(friend), reasons_of(friend)) == ("set_aside", [OUTLIER])
        undone(move)
        after = everything()
        assert after["samples"] == before["samples"]
        assert reasons_of(stranger) == [OUTLIER]

    def test_nearly_the_same_picture_as_one_that_went(self, ada: Person) -> None:
        first, second = ada.samples.order_by("pk")
        again = waiting(ada, 0.9, DUPLICATE, like=ada)
        merging.split(person=ada, samples={again.pk}, name="Eve", actor=None)
        assert status_of(again) == "active"
        assert status_of(first) == status_of(second) == "active"


def test_told_apart_from_one_it_is_still_like_another(ada: Person, bob: Person) -> None:
    eve = fakes.person("Eve", fakes.like_probe(0.95, axis=7))
    sample = waiting(bob, 0.9, CONFLICT, like=ada, axis=5)
    assert doubts.tell_apart(person=bob, other=ada, actor=None) == ()
    sample.refresh_from_db()
    assert (sample.status, [doubt["person"] for doubt in sample.doubts]) == ("set_aside", [eve.pk])
    assert doubts.tell_apart(person=bob, other=eve, actor=None) == (sample,)


@pytest.mark.django_db(transaction=True)
def test_an_undo_that_waited_for_another_merge_does_not_overwrite_it() -> None:
    """What the undo read before it waited is old: the ban by suspension of the third row must hold."""
    fakes.activated_pack()
    ada, bob, cleo = (fakes.person(name, fakes.probe()) for name in ("Ada", "Bob", "Cleo"))
    Person.objects.filter(pk=cleo.pk).update(is_suspended=True)
    move = merging.merge(keep=ada, gone=bob, actor=None)
    refused: list[str] = []

    def undo_beside() -> None:
        try:
            undone(move)
        except MoveRefused as reason:
            refused.append(str(reason))
        finally:
            connection.close()

    with transaction.atomic():
        merging.merge(keep=ada, gone=cleo, actor=None)
        beside = threading.Thread(target=undo_beside)
        beside.start()
        until_somebody_waits()
    beside.join()
    ada.refresh_from_db()
    assert ada.is_suspended
    assert refused == ["One of the two was merged or split again since. Undo that first."]


def until_somebody_waits() -> None:
    """Returns once another connection waits for a row that this one holds."""
    end = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < end:
            # Not `pg_stat_activity`: within a transaction that stays as it was first read.
            cursor.execute("SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
            if cursor.fetchone() is not None:
                return
    raise AssertionError("Nobody waits.")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 9)), max_size=6))
def test_whatever_is_merged_and_split_is_undone_in_reverse(db: None, steps: list[tuple[bool, int, int]]) -> None:
    """No sample is lost or doubled, and in the end everything is as it was, but for rows that splits made."""
    Person.objects.all().delete()
    fakes.registered_pack()
    for number in range(3):
        row = fakes.person(f"P{number}", *(fakes.like_probe(0.1 * place, axis=number + 1) for place in range(1, 4)))
        Person.objects.filter(pk=row.pk).update(external_id=str(number), is_suspended=number == 1, notes=f"{number}")
    before = everything()
    samples = {number for number, _, _ in before["samples"]}
    moves = []
    for is_merge, one, other in steps:
        standing = list(Person.objects.filter(merged_into=None).order_by("pk"))
        person, second = standing[one % len(standing)], standing[other % len(standing)]
        chosen = list(person.samples.order_by("pk").values_list("pk", flat=True))[: other % 3]
        try:
            if is_merge:
                moves.append(merging.merge(keep=person, gone=second, actor=None))
            else:
                moves.append(merging.split(person=person, samples=chosen, name="new", actor=None))
        except MoveRefused:
            continue
        assert set(FaceSample.objects.values_list("pk", flat=True)) == samples
    for move in reversed(moves):
        undone(move)
    after = everything()
    after["people"] = [row for row in after["people"] if row["name"] != "new"]
    assert after == before
