"""From similar templates to ranked people."""

from __future__ import annotations

import collections
import dataclasses
import enum
import math
from collections.abc import Iterable

from recognition.decision.standing import Bar


@dataclasses.dataclass(frozen=True, slots=True)
class Candidate:
    """A person and the sample of theirs that is most like the probe.

    Args:
        person_id: primary key of the person.
        person_name: for display only; never logged.
        sample_id: primary key of the sample.
        similarity: cosine, -1..1; higher is closer.
        barred: the gravest of what the gallery knew against the person when it was searched: deny
            list, suspension, dates. None when it knew nothing; groups belong to a checkpoint.
    """

    person_id: int
    person_name: str
    sample_id: int
    similarity: float
    barred: Bar | None = None


class Strategy(enum.StrEnum):
    """How the templates found become ranked people, and what else must agree."""

    NEAREST = "nearest"
    K_NEAREST = "k_nearest"
    CENTROID = "centroid"
    KNN_CLASSIFIER = "knn_classifier"
    SVM_CLASSIFIER = "svm_classifier"


CLASSIFIERS = (Strategy.KNN_CLASSIFIER, Strategy.SVM_CLASSIFIER)
"""Those that rank as `NEAREST` does, and ask a classifier whether it agrees."""


class Objection(enum.StrEnum):
    """Why a person whom a search found is not accepted although they are similar enough: the classifier has its say."""

    OTHER_PEOPLE = "classified_as_other_people"
    ANOTHER_PERSON = "classified_as_another_person"
    NOT_LEARNED = "not_learned_yet"
    NO_CLASSIFIER = "no_classifier"


@dataclasses.dataclass(frozen=True, slots=True)
class CandidateList:
    """People ranked by their best sample, the closest first.

    Args:
        people: one candidate each.
        objection: what speaks against naming the first; None where nothing does, or nothing was asked.
    """

    people: tuple[Candidate, ...] = ()
    objection: Objection | None = None

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


def unit_distance(similarity: float) -> float:
    """Euclidean (L2) distance of two unit vectors by their cosine similarity, 0..2: |a - b|^2 = 2 - 2 cos."""
    return math.sqrt(max(2.0 - 2.0 * similarity, 0.0))


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
    return ranked(best.values())


def k_nearest(hits: Iterable[Candidate], k: int = 5, *, least_similarity: float = -1.0) -> CandidateList:
    """Ranks first the person who has most of the k most similar templates of the whole gallery.

    Each candidate's similarity stays the plain cosine of their best sample, so thresholds keep their
    meaning. Behind the winner of the vote everybody else is ranked by similarity, so the margin is the
    winner's lead over the closest *other* person, whether or not that one had votes: never more than
    `nearest_sample` would say, and negative when the vote went against the closest person. A policy's
    margin is never negative, hence this strategy can only withhold a name that `nearest_sample` would
    give ("too close between two"), and never gives another; only of two exactly as similar people, where
    a policy asks for no margin at all, it names the one with more votes.

    Args:
        hits: the most similar templates of the gallery, in any order, at least k where it has so many.
        k: templates that vote; a template that is not a number does not.
        least_similarity: what a template must reach to vote. Pass the threshold: with everybody voting,
            a person of one very similar sample loses to a stranger of two very dissimilar ones.

    Returns:
        One candidate a person. Between people with as many votes, the more similar one wins.

    Raises:
        ValueError: for k below 1.
    """
    if k < 1:
        raise ValueError(f"k: expected at least 1, got {k}")
    found = list(hits)
    people = nearest_sample(found).people
    nearest = sorted(found, key=_order)[:k]
    votes = collections.Counter(hit.person_id for hit in nearest if hit.similarity >= least_similarity)
    if not votes:
        return CandidateList(people)
    # `max` keeps the first of equals, and people come by similarity.
    winner = max(people, key=lambda person: votes[person.person_id])
    return CandidateList((winner, *(person for person in people if person is not winner)))


def centroid(scores: Iterable[Candidate]) -> CandidateList:
    """Ranks people by their similarity to the normalised mean of each one's templates.

    The mean is computed where the vectors are: by SQL's avg() or by numpy. Similarities to a mean are
    on another scale than those to single samples: `faceweb evaluate open-set` measures what a threshold
    is worth there.

    Args:
        scores: one a person; `sample_id` names any sample of theirs, to show.

    Raises:
        ValueError: when a person comes twice.
    """
    return ranked(scores)


def ranked(scores: Iterable[Candidate]) -> CandidateList:
    """Orders people who have one score each, the closest first; equal ones by person.

    Raises:
        ValueError: when a person comes twice.
    """
    people = tuple(sorted(scores, key=_order))
    if len({person.person_id for person in people}) < len(people):
        raise ValueError("ranked: expected one score a person, got several of one person")
    return CandidateList(people)


def rank(hits: Iterable[Candidate], strategy: Strategy, *, least_similarity: float = -1.0) -> CandidateList:
    """Ranks people the way that a policy asks for.

    Args:
        hits: templates found; for `CENTROID`, one score a person.
        strategy: which of `nearest_sample`, `k_nearest` and `centroid`. `CLASSIFIERS` rank by the nearest sample.
        least_similarity: see `k_nearest`; the others do not need it.

    Raises:
        ValueError: for `CENTROID` when a person comes twice.
    """
    match strategy:
        case Strategy.NEAREST | Strategy.KNN_CLASSIFIER | Strategy.SVM_CLASSIFIER:
            return nearest_sample(hits)
        case Strategy.K_NEAREST:
            return k_nearest(hits, least_similarity=least_similarity)
        case Strategy.CENTROID:
            return centroid(hits)


def _order(hit: Candidate) -> tuple[float, int]:
    return -_closeness(hit), hit.person_id


def _closeness(hit: Candidate) -> float:
    """The similarity; one that is not a number comes last, where it hides nobody."""
    return -math.inf if math.isnan(hit.similarity) else hit.similarity
