"""Unknown faces of events: which are to be embedded, how they are grouped, and what staff did to the groups."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
from collections.abc import Sequence

import numpy as np
from django.db.models import Avg, Count, Exists, Max, Min, OuterRef, QuerySet
from numpy.typing import NDArray
from pgvector.django import MaxInnerProduct, VectorField

from recognition.decision.matching import Objection
from recognition.decision.unknowns import LOOSE, Faces
from recognition.decision.verdict import Decision
from recognition.models import (
    EventCrop,
    EventPlace,
    FaceSample,
    Job,
    Person,
    RecognitionEvent,
    UnknownCluster,
    UnknownFace,
    UnknownMove,
)
from recognition.selectors import gallery
from recognition.selectors.packs import ActivePack
from recognition.vision.types import Embedding

MOST_PROPOSED = 3
"""People, and other clusters, that are proposed for a cluster."""

PICTURES_SHOWN = 4
"""Faces of each cluster on the page of all of them."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sighting:
    """A face of a cluster.

    Args:
        face: its number, which is that of the event too.
        seen_at: when it was decided that nobody knows it.
        place: where.
        samples: samples that were made of it, searched or set aside.
    """

    face: int
    seen_at: dt.datetime
    place: EventPlace
    samples: tuple[FaceSample, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Summary:
    """A cluster on the page of all of them.

    Args:
        cluster: which one.
        count: how many faces it has.
        first_seen: when the first one was seen.
        last_seen: when the last one was.
        places: where it was seen, in order.
        pictures: the newest faces, `PICTURES_SHOWN` at most.
    """

    cluster: UnknownCluster
    count: int
    first_seen: dt.datetime
    last_seen: dt.datetime
    places: tuple[EventPlace, ...]
    pictures: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Proposed:
    """Somebody who may be an unknown person.

    Args:
        person: who is enrolled.
        sample: one of theirs to show; None without one.
        similarity: to the mean of the faces, -1..1; None where nothing was compared.
    """

    person: Person
    sample: int | None
    similarity: float | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Alike:
    """Another cluster that may be the same person.

    Args:
        summary: of it.
        similarity: the mean one between the faces of both, -1..1.
    """

    summary: Summary
    similarity: float


def to_embed(pack_id: int) -> QuerySet[EventCrop]:
    """Pictures of people whom a search did not find, that the pack has not looked at; not those enrolled since."""
    seen = UnknownFace.objects.filter(crop=OuterRef("pk"))
    enrolled = FaceSample.objects.filter(event=OuterRef("pk"))
    unknown = EventCrop.objects.filter(
        event__decision=Decision.REJECT_NO_MATCH.value, event__kind=RecognitionEvent.Kind.IDENTIFICATION
    )
    # Found, and refused because no classifier could be asked about them.
    for objection in (Objection.NOT_LEARNED, Objection.NO_CLASSIFIER):
        unknown = unknown.exclude(event__reasons__contains=[{"reason": objection.value}])
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
        .values_list("cluster", "pk", "crop__event__checkpoint__name", "crop__event__reasons")
    )
    pictures = collections.defaultdict[int, list[int]](list)
    places = collections.defaultdict[int, set[EventPlace]](set)
    for cluster, face, checkpoint, reasons in rows:
        places[cluster].add(EventPlace.of(checkpoint, reasons))
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
    samples = collections.defaultdict[int | None, list[FaceSample]](list)
    for sample in FaceSample.objects.filter(event__in=events).select_related("person").order_by("pk"):
        samples[sample.event_id].append(sample)
    return [
        Sighting(
            event.pk,
            event.decided_at,
            event.place,
            tuple(samples[event.pk]),
        )
        for event in events.order_by("-decided_at", "-pk")
    ]


def people_like(cluster: UnknownCluster, pack: ActivePack) -> list[Proposed]:
    """Who of those that are enrolled now is most like the faces of a cluster, at most `MOST_PROPOSED`.

    Nobody where the pack has not embedded the faces yet.
    """
    mean = _mean(cluster, pack)
    if mean is None:
        return []
    ranked = gallery.search(Embedding.from_raw(mean, pack.digest), pack, exact=True).people[:MOST_PROPOSED]
    rows = Person.objects.in_bulk([candidate.person_id for candidate in ranked])
    return [
        Proposed(rows[candidate.person_id], candidate.sample_id, candidate.similarity)
        for candidate in ranked
        if candidate.person_id in rows
    ]


def clusters_like(cluster: UnknownCluster, pack: ActivePack) -> list[Alike]:
    """Which other open clusters may be the same person, at most `MOST_PROPOSED`: those that a claim would pass for.

    Runs leave them apart, because somebody decided on both, or because they are below the threshold of a search.
    """
    mean = _mean(cluster, pack)
    if mean is None or pack.policy is None:
        return []
    rows = (
        UnknownFace.objects.filter(pack=pack.id, embedding__isnull=False, cluster__state=UnknownCluster.State.OPEN)
        .exclude(cluster=cluster)
        .values_list("cluster")
        .annotate(product=MaxInnerProduct(_MEAN, mean))
        .order_by("product")[:MOST_PROPOSED]
    )
    # The operator of the database gives the product negated; that of two means is the mean similarity.
    similar = {number: -product for number, product in rows if -product >= pack.policy.verification_threshold}
    found = summaries(list(clusters(UnknownCluster.State.OPEN).filter(pk__in=similar)))
    alike = [Alike(summary, similar[summary.cluster.pk]) for summary in found]
    return sorted(alike, key=lambda each: -each.similarity)


def moves_of(cluster: UnknownCluster) -> QuerySet[UnknownMove]:
    """What was done to a cluster and not undone, the newest first: that one is undone before any other."""
    standing = UnknownMove.objects.filter(clusters__contains=[cluster.pk], undone_at=None)
    return standing.select_related("made_by").order_by("-pk")


def newest_job() -> Job | None:
    """The grouping that was asked for last."""
    return Job.objects.filter(kind=Job.Kind.UNKNOWNS).order_by("-pk").first()


def _mean(cluster: UnknownCluster, pack: ActivePack) -> NDArray[np.float32] | None:
    """The mean of a cluster's vectors, shorter than 1; None where the pack has made none."""
    mean = UnknownFace.objects.filter(cluster=cluster, pack=pack.id).aggregate(mean=_MEAN)["mean"]
    return None if mean is None else np.asarray(mean, np.float32)


_MEAN = Avg("embedding", output_field=VectorField())
