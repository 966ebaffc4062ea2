"""Says who an unknown person is, somebody who is enrolled or somebody new, and enrols the best faces."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from recognition.decision.policy import QualityFault
from recognition.decision.unknowns import likeness
from recognition.models import Person, RecognitionEvent, UnknownCluster, UnknownMove
from recognition.selectors import packs
from recognition.selectors import people as people_read
from recognition.services import event_faces, people, unknown_moves
from recognition.services.enrolment import SampleResult
from recognition.services.unknown_moves import UnknownRefused
from recognition.vision.types import Quality

MOST_ENROLLED = 5
"""Faces of a cluster that become samples, the best ones: more of the same visits help a search no more."""

LIKENESS_DIGITS = 2
"""Faces that are as much like the others to so many digits are ordered by quality: two are like each other exactly."""

Kind = UnknownMove.Kind


@dataclasses.dataclass(frozen=True, slots=True)
class Assigned:
    """What became of a cluster that is somebody now.

    Args:
        person: who it is.
        results: of each face that was tried, in that order.
    """

    person: Person
    results: tuple[SampleResult, ...]

    @property
    def enrolled(self) -> int:
        """Samples that are searched now."""
        return sum(result.accepted for result in self.results)

    @property
    def set_aside(self) -> int:
        """Samples that are in doubt and not searched."""
        return sum(result.is_stored and not result.accepted for result in self.results)

    @property
    def faults(self) -> tuple[QualityFault, ...]:
        """Why the others were refused, each reason once."""
        found = {fault.reason: fault for result in self.results for fault in result.faults}
        return tuple(found.values())


@transaction.atomic
def assign(*, cluster: UnknownCluster, person: Person, actor: User | None) -> Assigned:
    """Says who it is, and enrols the best faces as that person's samples.

    That it is they holds also where no face is good enough to be enrolled.

    Args:
        cluster: that nobody decided on.
        person: who it is; of a row that was merged, whom it stands for.
        actor: who says so.

    Raises:
        UnknownRefused: when it was decided on before.
        AnalyserUnavailable, NoActivePack, PackMismatch: when no face can be looked at now.
    """
    held = unknown_moves.open_one(cluster)
    person = people_read.following_merges(person)
    results = _enrol(held, person, actor)
    _assigned(Kind.ASSIGN, held, person, results, actor)
    return Assigned(person, results)


@transaction.atomic
def make_person(*, cluster: UnknownCluster, name: str, actor: User | None) -> Assigned:
    """Enrols somebody new by the best faces.

    Args:
        cluster: that nobody decided on.
        name: of the new person.
        actor: who enrols.

    Raises:
        UnknownRefused: without a name, when it was decided on before, or when no face can become a sample: a person
            without one would be found by nobody.
        AnalyserUnavailable, NoActivePack, PackMismatch: when no face can be looked at now.
    """
    held = unknown_moves.open_one(cluster)
    cleaned, longest = " ".join(name.split()), Person._meta.get_field("name").max_length or 0
    if not 0 < len(cleaned) <= longest:
        raise UnknownRefused(gettext("Give the person a name of 1 to %(longest)s characters.") % {"longest": longest})
    person = Person(name=cleaned)
    people.save_person(person=person, changed=["name"], actor=actor)
    made = Assigned(person, _enrol(held, person, actor))
    if not made.enrolled + made.set_aside:
        raise UnknownRefused(gettext("None of the faces can be enrolled:"), made.faults)
    _assigned(Kind.CREATE, held, person, made.results, actor)
    return made


def _enrol(cluster: UnknownCluster, person: Person, actor: User | None) -> tuple[SampleResult, ...]:
    """The best faces as samples, until there are enough; each is judged as any other photo."""
    results: list[SampleResult] = []
    for event in _best_first(cluster):
        if sum(result.is_stored for result in results) == MOST_ENROLLED:
            break
        results.append(event_faces.enrol(event=event, person=person, actor=actor))
    return tuple(results)


def _best_first(cluster: UnknownCluster) -> list[RecognitionEvent]:
    """The face that is most like the others, then all by quality.

    The first one decides which of the others are in doubt, so it must be no odd one out.
    """
    events = RecognitionEvent.objects.filter(crop__unknown_face__cluster=cluster).select_related("crop")
    by_quality = sorted(events, key=_quality, reverse=True)
    rows = cluster.faces.filter(pack=packs.active().id, embedding__isnull=False).values_list("pk", "embedding")
    if not rows:
        return by_quality
    numbers, vectors = zip(*rows, strict=True)
    like = dict(zip(numbers, likeness(np.array(vectors, np.float32)), strict=True))
    by_likeness = sorted(by_quality, key=lambda event: round(like.get(event.pk, -1.0), LIKENESS_DIGITS), reverse=True)
    # One that fails a gate becomes no sample, so that another would be the first.
    first = next((event for event in by_likeness if not event_faces.faults(event=event)), by_likeness[0])
    return [first, *(event for event in by_quality if event != first)]


def _quality(event: RecognitionEvent) -> tuple[int, float]:
    """By the score that foretells missed matches; what has none, by what the camera was led by."""
    if not event.quality:
        return 0, 0.0
    measured = Quality.from_json(event.quality)
    return measured.scores.unified_quality_score if measured.scores else 0, measured.score


def _assigned(
    kind: UnknownMove.Kind,
    cluster: UnknownCluster,
    person: Person,
    results: Sequence[SampleResult],
    actor: User | None,
) -> None:
    cluster.state, cluster.person = UnknownCluster.State.ASSIGNED, person
    cluster.save(update_fields=["state", "person", "is_kept"])
    samples = [result.sample_id for result in results if result.is_stored]
    before = {"person": person.pk, "samples": samples}
    unknown_moves.record(kind=kind, clusters=[cluster], before=before, actor=actor)
