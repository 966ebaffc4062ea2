"""All templates at once, for work that compares everybody with everybody."""

from __future__ import annotations

import hashlib

import numpy as np
from django.db.models import Max, Min, QuerySet
from numpy.typing import NDArray

from recognition.models import FaceSample, FaceTemplate, Person
from recognition.selectors.packs import ActivePack
from recognition.selectors.people import recognised
from recognition.vision.templates import Templates

ROWS_AT_A_TIME = 2000


def searched(pack: ActivePack) -> Templates:
    """The templates that a search with the pack sees, by person and sample; 20,000 of 512 numbers are 40 MB."""
    rows = _searched(pack.id).values_list("sample_id", "sample__person_id", "embedding")
    samples: list[int] = []
    people: list[int] = []
    vectors: list[NDArray[np.float32]] = []
    for sample, person, embedding in rows.iterator(chunk_size=ROWS_AT_A_TIME):
        samples.append(sample)
        people.append(person)
        vectors.append(np.asarray(embedding, np.float32))
    stacked = np.stack(vectors) if vectors else np.empty((0, pack.dimension), np.float32)
    return Templates(np.array(samples, np.int64), np.array(people, np.int64), stacked)


def sampled(pack: ActivePack, count: int, random: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
    """The vectors of templates that a search with the pack sees, drawn with replacement; none of an empty gallery."""
    rows = _searched(pack.id).order_by("pk").values_list("embedding", flat=True)
    ends = FaceTemplate.objects.filter(pack_id=pack.id).aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return ()
    drawn = random.integers(ends["first"], ends["last"], count, endpoint=True)
    found = (rows.filter(pk__gte=int(number)).first() for number in drawn)
    return tuple(np.asarray(vector, np.float32) for vector in found if vector is not None)


def searched_digest(pack_id: int) -> str:
    """Changes with every sample that a search with the pack begins or ceases to see, and with whose it is.

    A template never changes, so the vectors need not be read: quick enough for a page.
    """
    rows = _searched(pack_id).values_list("sample_id", "sample__person_id")
    return hashlib.sha256(repr(list(rows.iterator(chunk_size=ROWS_AT_A_TIME))).encode()).hexdigest()


def _searched(pack_id: int) -> QuerySet[FaceTemplate]:
    return FaceTemplate.objects.filter(
        pack_id=pack_id,
        sample__status=FaceSample.Status.ACTIVE,
        sample__person__in=Person.objects.filter(recognised()),
    ).order_by("sample__person_id", "sample_id")
