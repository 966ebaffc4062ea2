"""From similar templates to ranked people."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable


@dataclasses.dataclass(frozen=True, slots=True)
class Candidate:
    """A person and the sample of theirs that is most like the probe.

    Args:
        person_id: primary key of the person.
        person_name: for display only; never logged.
        sample_id: primary key of the sample.
        similarity: cosine, -1..1; higher is closer.
    """

    person_id: int
    person_name: str
    sample_id: int
    similarity: float


@dataclasses.dataclass(frozen=True, slots=True)
class CandidateList:
    """People ranked by their best sample, the closest first."""

    people: tuple[Candidate, ...] = ()

    @property
    def best(self) -> Candidate | None:
        """The closest person, None when the gallery is empty."""
        return self.people[0] if self.people else None

    @property
    def runner_up(self) -> Candidate | None:
        """The second closest person."""
        return self.people[1] if len(self.people) > 1 else None

    @property
    def margin(self) -> float | None:
        """Similarity gap between the two closest people; None with fewer than two."""
        if len(self.people) < 2:
            return None
        return self.people[0].similarity - self.people[1].similarity


def nearest_sample(hits: Iterable[Candidate]) -> CandidateList:
    """Ranks people by their single most similar sample.

    Args:
        hits: templates found, in any order; several may be of one person.

    Returns:
        One candidate a person. Equal similarities are ordered by person, so that the same search
        gives the same list.
    """
    best: dict[int, Candidate] = {}
    for hit in hits:
        held = best.get(hit.person_id)
        if held is None or _closeness(hit) > _closeness(held):
            best[hit.person_id] = hit
    ranked = sorted(best.values(), key=lambda hit: (-_closeness(hit), hit.person_id))
    return CandidateList(tuple(ranked))


def _closeness(hit: Candidate) -> float:
    """The similarity; one that is not a number comes last, where it hides nobody."""
    return -math.inf if math.isnan(hit.similarity) else hit.similarity
