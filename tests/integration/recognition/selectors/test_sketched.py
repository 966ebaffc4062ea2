"""What is committed is found at once, whoever brought it and in whatever order others commit."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from django.db import DatabaseError, DataError, connection, transaction
from pytest_django import Settings

from recognition.models import FaceSample, FaceTemplate, Person
from recognition.selectors import gallery, packs, sketched
from recognition.selectors.packs import ActivePack
from tests import fakes

pytestmark = pytest.mark.django_db(transaction=True)

STEP_TIMEOUT_S = 30.0


@pytest.fixture
def active(settings: Settings) -> ActivePack:
    settings.FACEWEB_EXACT_SEARCH_MAX_ROWS = -1
    fakes.activated_pack()
    return packs.active()


def found(active: ActivePack) -> set[str]:
    return {person.person_name for person in gallery.search(fakes.probe(), active).people}


def held(active: ActivePack) -> list[int]:
    return sketched.nearest(fakes.probe(), active, 1000)


@contextlib.contextmanager
def beside(work: Callable[[], object]) -> Iterator[None]:
    """Work of another connection whose transaction ends after the block."""
    done, leave = threading.Event(), threading.Event()

    def run() -> None:
        try:
            with transaction.atomic():
                work()
                done.set()
                leave.wait(STEP_TIMEOUT_S)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert done.wait(STEP_TIMEOUT_S)
    try:
        yield
    finally:
        leave.set()
        thread.join(STEP_TIMEOUT_S)


def test_of_an_empty_gallery_nobody_is_held_and_the_next_is_found(active: ActivePack) -> None:
    assert found(active) == set()
    fakes.person("Ada", fakes.probe())
    fakes.person("Bob", fakes.like_probe(0.3))
    assert found(active) == {"Ada", "Bob"}


def test_who_is_committed_after_somebody_who_came_later_is_found(active: ActivePack) -> None:
    fakes.person("Ada", fakes.like_probe(0.4))
    assert found(active) == {"Ada"}
    with beside(lambda: fakes.person("Bob", fakes.like_probe(0.5))):
        fakes.person("Eve", fakes.like_probe(0.6))  # with a higher number, and committed first
        assert found(active) == {"Ada", "Eve"}
        assert found(active) == {"Ada", "Eve"}
    assert found(active) == {"Ada", "Bob", "Eve"}


def test_what_the_own_transaction_brought_is_found_before_it_ends_and_held_once(active: ActivePack) -> None:
    fakes.person("Ada", fakes.like_probe(0.4))
    with contextlib.suppress(InterruptedError), transaction.atomic():
        fakes.person("Bob", fakes.like_probe(0.5))
        assert found(active) == found(active) == {"Ada", "Bob"}
        assert len(held(active)) == 2
        raise InterruptedError
    assert found(active) == {"Ada"}


def test_who_is_set_aside_erased_merged_or_taken_out_is_not_found(active: ActivePack) -> None:
    ada, bob, eve, kim, _ = (
        fakes.person(name, fakes.like_probe(0.4, axis=axis))
        for axis, name in enumerate(("Ada", "Bob", "Eve", "Kim", "Lea"), start=2)
    )
    assert found(active) == {"Ada", "Bob", "Eve", "Kim", "Lea"}
    FaceSample.objects.filter(person=ada).update(status=FaceSample.Status.SET_ASIDE)
    bob.delete()
    Person.objects.filter(pk=eve.pk).update(is_active=False)
    FaceSample.objects.filter(person=kim).update(person=eve)
    assert found(active) == {"Lea"}


def test_what_was_deleted_is_forgotten_after_a_time(active: ActivePack, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, bob = fakes.person("Ada", fakes.probe()), fakes.person("Bob", fakes.like_probe(0.3))
    assert len(held(active)) == 2
    ada.delete()
    assert len(held(active)) == 2
    monkeypatch.setattr(sketched, "FORGET_INTERVAL_S", -1.0)
    assert held(active) == list(FaceTemplate.objects.filter(sample__person=bob).values_list("pk", flat=True))
    bob.delete()
    assert held(active) == []


def test_another_database_is_read_anew(active: ActivePack) -> None:
    fakes.person("Ada", fakes.like_probe(0.4))
    assert found(active) == {"Ada"}
    # As after a restart of the server: the numbers of transactions may begin before those that are known.
    sketched._held[active.id].database = "another"
    sketched._held[active.id].seen = "9999999:9999999:"
    fakes.person("Bob", fakes.like_probe(0.5))
    assert found(active) == {"Ada", "Bob"}


def test_many_templates_are_read_in_pieces(active: ActivePack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sketched, "_ROWS_AT_A_TIME", 7)
    random = np.random.default_rng(0)
    person = fakes.person("Ada", fakes.probe())
    samples = FaceSample.objects.bulk_create(
        FaceSample(person=person, source="import", quality={}, image_sha256=str(number)) for number in range(30)
    )
    FaceTemplate.objects.bulk_create(
        FaceTemplate(sample=sample, pack_id=active.id, embedding=random.normal(size=active.dimension))
        for sample in samples
    )
    assert sorted(held(active)) == list(FaceTemplate.objects.order_by("pk").values_list("pk", flat=True))


def test_a_connection_that_fails_is_an_error_and_not_an_empty_gallery(active: ActivePack) -> None:
    fakes.person("Ada", fakes.probe())
    with transaction.atomic():
        with contextlib.suppress(DataError), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        with pytest.raises(DatabaseError, match="current transaction is aborted"):
            found(active)
        transaction.set_rollback(True)
