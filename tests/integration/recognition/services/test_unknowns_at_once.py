"""Runs and people who decide on unknown faces at the same moment: one after the other, and nobody waits for ever."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from recognition.models import FaceSample, Person, UnknownCluster, UnknownFace, UnknownMove
from recognition.selectors import packs
from recognition.services import analysis, unknown_moves, unknown_people, unknowns
from recognition.services.unknown_moves import UnknownRefused
from tests import fakes

pytestmark = pytest.mark.django_db(transaction=True)

DEADLINE_S = 20.0


@pytest.fixture(autouse=True)
def pack(monkeypatch: pytest.MonkeyPatch) -> None:
    face = fakes.embedded(where=fakes.box(x=43, y=43))
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser({b"a crop": (face,)})])
    fakes.activated_pack()


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Does each in a thread, and so over a connection, of its own; a refusal is a result."""
    together = threading.Barrier(len(works))

    def work(each: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            together.wait(DEADLINE_S)
            return each()
        except (UnknownRefused, Person.DoesNotExist) as refused:
            return refused
        finally:
            connections.close_all()

    with concurrent.futures.ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(work, works))


def group() -> unknowns.Grouped:
    return unknowns.group(pack=packs.active(), threshold=0.5)


def grouped(*axes: int) -> list[UnknownCluster]:
    for axis in axes:
        fakes.unknown_face(axis)
    group()
    return list(UnknownCluster.objects.order_by("pk"))


def test_of_two_who_decide_on_one_the_second_is_told() -> None:
    (cluster,) = grouped(1)
    results = at_once(
        lambda: unknown_moves.ignore(cluster=cluster, actor=None),
        lambda: unknown_people.make_person(cluster=cluster, name="Grace", actor=None),
    )
    assert sum(isinstance(result, UnknownRefused) for result in results) == 1
    is_ignored = isinstance(results[1], UnknownRefused)
    assert UnknownCluster.objects.get().state == ("ignored" if is_ignored else "assigned")
    assert Person.objects.count() == FaceSample.objects.count() == (0 if is_ignored else 1)


def test_while_faces_are_grouped_people_may_decide() -> None:
    one, other = grouped(1, 2)
    fakes.unknown_face(1)
    fakes.unknown_face(3)
    at_once(group, lambda: unknown_moves.merge(clusters=[one, other], actor=None), group)
    assert one.faces.count() == 3
    assert UnknownFace.objects.count() == 4
    assert not UnknownFace.objects.filter(cluster=None).exists()
    assert UnknownCluster.objects.filter(faces__isnull=False).distinct().count() == 2


def test_an_undo_and_an_erasure_of_the_same_person_both_come_to_their_end() -> None:
    (cluster,) = grouped(1)
    ada = fakes.person("Ada")
    unknown_people.assign(cluster=cluster, person=ada, actor=None)
    move = UnknownMove.objects.get()
    at_once(
        lambda: unknown_moves.undo(move=move, actor=None, now=fakes.NOW),
        lambda: fakes.erase(ada),
    )
    assert not Person.objects.exists()
    assert not FaceSample.objects.exists()
    assert not UnknownCluster.objects.filter(state="assigned").exists()
