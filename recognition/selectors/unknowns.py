"""Unknown faces of events: which are to be embedded, how they are grouped, and what staff did to the groups."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
from collections.abc import Sequence

import numpy as np
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet

from recognition.decision.unknowns import LOOSE, Faces
from recognition.decision.verdict import Decision
from recognition.models import (
    EventCrop,
    FaceSample,
    Job,
    Person,
    RecognitionEvent,
    UnknownCluster,
    UnknownFace,
    UnknownMove,
)
from recognition.selectors import people

MOST_PROPOSED = 3
"""People who are proposed for a cluster."""

PICTURES_SHOWN = 4
"""Faces of each cluster on the page of all of them."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sighting:
    """A face of a cluster.

    Args:
        face: its number, which is that of the event too.
        seen_at: when it was decided that nobody knows it.
        place: name of the checkpoint; empty for the live page.
        samples: samples that were enrolled of it.
    """

    face: int
    seen_at: dt.datetime
    place: str
    samples: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Summary:
    """A cluster on the page of all of them.

    Args:
        cluster: which one.
        count: how many faces it has.
        first_seen: when the first one was seen.
        last_seen: when the last one was.
        places: names of checkpoints, in order; an empty one is the live page.
        pictures: the newest faces, `PICTURES_SHOWN` at most.
    """

    cluster: UnknownCluster
    count: int
    first_seen: dt.datetime
    last_seen: dt.datetime
    places: tuple[str, ...]
    pictures: tuple[int, ...]


def to_embed(pack_id: int) -> QuerySet[EventCrop]:
    """Pictures of people whom a search did not find, that the pack has not looked at; not those enrolled since."""
    seen = UnknownFace.objects.filter(crop=OuterRef("pk"))
    enrolled = FaceSample.objects.filter(event=OuterRef("pk"))
    unknown = EventCrop.objects.filter(
        event__decision=Decision.REJECT_NO_MATCH.value, event__kind=RecognitionEvent.Kind.IDENTIFICATION
    )
    # With a face that was looked at before, the vector of another pack is replaced, enrolled or not.
    return unknown.filter(~Exists(seen) & ~Exists(enrolled) | Exists(seen.exclude(pack=pack_id))).order_by("pk")


def faces(pack_id: int, dimension: int) -> Faces:
    """Every unknown face that the pack has embedded."""
    rows = list(
        UnknownFace.objects.filter(pack=pack_id, embedding__isnull=False)
        .order_by("pk")
        .values_list("pk", "cluster", "embedding")
    )
    kept = UnknownCluster.objects.filter(is_kept=True).values_list("pk", flat=True)
    return Faces(
        np.array([number for number, _, _ in rows], np.int64),
        np.array([cluster or LOOSE for _, cluster, _ in rows], np.int64),
        np.array([vector for _, _, vector in rows], np.float32).reshape(len(rows), dimension),
        frozenset(kept),
    )


def clusters(state: str) -> QuerySet[UnknownCluster]:
    """The clusters of a state that have faces, those seen most often first."""
    found = UnknownCluster.objects.filter(state=state, faces__isnull=False).select_related("person")
    return found.annotate(
        count=Count("faces"),
        first_seen=Min("faces__crop__event__decided_at"),
        last_seen=Max("faces__crop__event__decided_at"),
    ).order_by("-count", "-last_seen", "-pk")


def counts() -> dict[str, int]:
    """How many clusters with faces there are of each state."""
    found = UnknownCluster.objects.filter(faces__isnull=False).order_by().values_list("state")
    counted = dict(found.annotate(count=Count("pk", distinct=True)))
    return {state: counted.get(state, 0) for state in UnknownCluster.State.values}


def summaries(page: Sequence[UnknownCluster]) -> list[Summary]:
    """What is shown of clusters that `clusters` gave."""
    rows = (
        UnknownFace.objects.filter(cluster__in=page)
        .order_by("-crop__event__decided_at", "-pk")
        .values_list("cluster", "pk", "crop__event__checkpoint__name")
    )
    pictures = collections.defaultdict[int, list[int]](list)
    places = collections.defaultdict[int, set[str]](set)
    for cluster, face, place in rows:
        places[cluster].add(place or "")
        if len(pictures[cluster]) < PICTURES_SHOWN:
            pictures[cluster].append(face)
    return [
        Summary(
            each,
            each.count,  # type: ignore[attr-defined]  # annotated
            each.first_seen,  # type: ignore[attr-defined]
            each.last_seen,  # type: ignore[attr-defined]
            tuple(sorted(places[each.pk])),
            tuple(pictures[each.pk]),
        )
        for each in page
    ]


def sightings(cluster: UnknownCluster) -> list[Sighting]:
    """The faces of a cluster, the newest first."""
    events = RecognitionEvent.objects.filter(crop__unknown_face__cluster=cluster).select_related("checkpoint")
    samples = collections.defaultdict[int, list[int]](list)
    enrolled = FaceSample.objects.filter(event__in=events).order_by("pk").values_list("event", "pk")
    for event, sample in enrolled:
        if event is not None:
            samples[event].append(sample)
    return [
        Sighting(
            event.pk,
            event.decided_at,
            event.checkpoint.name if event.checkpoint else "",
            tuple(samples[event.pk]),
        )
        for event in events.order_by("-decided_at", "-pk")
    ]


def people_to_propose(cluster: UnknownCluster) -> QuerySet[Person]:
    """Whom the faces of a cluster were most often most like, at most `MOST_PROPOSED`; with their first sample."""
    closest = (
        RecognitionEvent.objects.filter(crop__unknown_face__cluster=cluster, best_person__isnull=False)
        .order_by()
        .values_list("best_person")
        .annotate(count=Count("pk"))
        .order_by("-count")[:MOST_PROPOSED]
    )
    numbers = [number for number, _ in closest]
    standing = {people.following_merges(person).pk for person in Person.objects.filter(pk__in=numbers)}
    searched = Q(samples__status=FaceSample.Status.ACTIVE)
    found = Person.objects.filter(pk__in=standing, merged_into=None)
    return found.annotate(first_sample=Min("samples", filter=searched)).order_by("name", "pk")


def moves_of(cluster: UnknownCluster) -> QuerySet[UnknownMove]:
    """What was done to a cluster and not undone, the newest first: that one is undone before any other."""
    standing = UnknownMove.objects.filter(clusters__contains=[cluster.pk], undone_at=None)
    return standing.select_related("made_by").order_by("-pk")


def newest_job() -> Job | None:
    """The grouping that was asked for last."""
    return Job.objects.filter(kind=Job.Kind.UNKNOWNS).order_by("-pk").first()
