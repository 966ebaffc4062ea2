from __future__ import annotations

import pytest
from django.utils import timezone

from recognition.models import Checkpoint, DenyListEntry, PersonGroup, ThresholdPolicy
from recognition.selectors import checkpoints
from recognition.services import policies
from tests import fakes

pytestmark = pytest.mark.django_db


def test_an_address_that_no_checkpoint_has_is_none() -> None:
    assert checkpoints.by_slug("door") is None
    assert checkpoints.by_id(1) is None


def test_a_checkpoint_is_seen_as_it_is() -> None:
    door = fakes.checkpoint(name="Front door", place="Hall", action_url="http://door.example", is_active=False)
    seen = checkpoints.by_slug("door")
    assert seen == checkpoints.by_id(door.pk)
    assert seen is not None
    assert (seen.id, seen.slug, seen.name, seen.place) == (door.pk, "door", "Front door", "Hall")
    assert (seen.mode, seen.is_active, seen.has_action) == (Checkpoint.Mode.BOTH, False, True)


def test_a_checkpoint_asks_for_a_pin_where_its_own_policy_does() -> None:
    fakes.checkpoint("no-pack")
    seen = checkpoints.by_slug("no-pack")
    assert seen is not None
    assert not seen.requires_pin
    pack = fakes.activated_pack()
    door = fakes.checkpoint("door")
    policies.create_version(pack=pack, values={"requires_pin": True}, reason="t", actor=None, checkpoint=door)
    assert ThresholdPolicy.objects.filter(state="active").count() == 2
    asks = {slug: view.requires_pin for slug in ("door", "no-pack") if (view := checkpoints.by_slug(slug))}
    assert asks == {"door": True, "no-pack": False}


def test_a_checkpoint_admits_everybody_its_groups_or_nobody() -> None:
    group = PersonGroup.objects.create(name="staff")
    fakes.checkpoint("open")
    fakes.checkpoint("door", group)
    fakes.checkpoint("shut", admits=Checkpoint.Admits.GROUPS)
    admits = {slug: view.admits_groups for slug in ("open", "door", "shut") if (view := checkpoints.by_slug(slug))}
    assert admits == {"open": None, "door": frozenset({group.pk}), "shut": frozenset()}


class TestStanding:
    def test_of_nobody_is_none(self) -> None:
        assert checkpoints.standing(1) is None

    def test_holds_groups_and_dates(self) -> None:
        ada, now = fakes.person("Ada"), timezone.now()
        ada.groups.set([PersonGroup.objects.create(name=name) for name in ("staff", "guests")])
        ada.is_suspended, ada.valid_from = True, now
        ada.save()
        standing = checkpoints.standing(ada.pk)
        assert standing is not None
        assert standing.group_ids == frozenset(ada.groups.values_list("pk", flat=True))
        assert (standing.person_id, standing.is_suspended, standing.is_deny_listed) == (ada.pk, True, False)
        assert (standing.valid_from, standing.valid_until) == (now, None)

    def test_of_a_person_without_groups_has_none(self) -> None:
        standing = checkpoints.standing(fakes.person("Ada").pk)
        assert standing is not None
        assert standing.group_ids == frozenset()

    def test_of_somebody_inactive_is_none_but_for_the_deny_list(self) -> None:
        ada, bob = (fakes.person(name, is_active=False) for name in ("Ada", "Bob"))
        DenyListEntry.objects.create(person=bob, reason="x")
        assert checkpoints.standing(ada.pk) is None
        standing = checkpoints.standing(bob.pk)
        assert standing is not None
        assert standing.is_deny_listed
