"""Trained classifiers: which one a search asks, how it stands, and which faces of other people there are to learn."""

from __future__ import annotations

import dataclasses
import enum
import threading

import numpy as np
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from recognition.decision import classifier_files
from recognition.decision.classifier_files import DamagedClassifier, Trained
from recognition.decision.classifiers import Classifier, Left, objection
from recognition.decision.matching import CLASSIFIERS, CandidateList, Strategy
from recognition.decision.other_people import OtherPeople
from recognition.models import FaceSample, Job, ThresholdPolicy, TrainedClassifier, UnknownCluster, UnknownFace
from recognition.selectors import templates
from recognition.selectors.packs import ActivePack
from recognition.vision.errors import PackMismatch
from recognition.vision.types import Embedding

MOST_SEEN = 1000
"""Unknown faces that are learned as other people, the newest ones: more make training dearer and it no better."""

FACES_A_PERSON = 3
"""Of each unknown person, so that the courier who comes every day does not outweigh all others."""


class State(enum.StrEnum):
    """How the classifier of a kind stands."""

    MISSING = "missing"
    DAMAGED = "damaged"
    OUTDATED = "outdated"
    FRESH = "fresh"


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """A kind of classifier with the active pack.

    Args:
        strategy: which kind.
        state: whether it can be asked, and whether it knows the gallery of now.
        row: what is stored; None where none is.
        is_needed: whether a policy that is in force asks it.
    """

    strategy: Strategy
    state: State
    row: TrainedClassifier | None
    is_needed: bool

    @property
    def is_usable(self) -> bool:
        """Whether a search can ask it."""
        return self.state in (State.FRESH, State.OUTDATED)


_held: dict[tuple[int, str], tuple[str, Classifier | None]] = {}
"""By pack and kind, the digest of what was read last and what it was; None for what cannot be used."""

_lock = threading.Lock()


def objected(candidates: CandidateList, embedding: Embedding, pack: ActivePack) -> CandidateList:
    """What a search found, with the objection of the classifier that the pack's policy asks, if it asks one.

    The database is asked each time whether it still is the same classifier, so that what was removed from it, or
    trained anew, counts for the next face.

    Args:
        candidates: people ranked by their nearest sample.
        embedding: what was searched for.
        pack: with the policy.
    """
    policy = pack.policy
    if policy is None or policy.strategy not in CLASSIFIERS:
        return candidates
    found = objection(
        candidates,
        usable(pack, policy.strategy),
        embedding.vector,
        least_similarity=policy.identification_threshold,
    )
    return dataclasses.replace(candidates, objection=found)


def usable(pack: ActivePack, strategy: Strategy) -> Classifier | None:
    """The classifier of a kind; None where there is none, or what is stored is damaged or of another pack."""
    stored = TrainedClassifier.objects.filter(pack=pack.id, kind=strategy.value)
    digest = stored.values_list("sha256", flat=True).first()
    if digest is None:
        return None
    with _lock:
        held = _held.get((pack.id, strategy.value))
        if held is None or held[0] != digest:
            row = stored.values_list("sha256", "data").first()
            held = (row[0], _read(bytes(row[1]), pack.digest)) if row else (digest, None)
            _held[pack.id, strategy.value] = held
        return held[1]


def _read(data: bytes, pack_digest: str) -> Trained | None:
    try:
        return classifier_files.loaded(data, pack_digest=pack_digest)
    except (DamagedClassifier, PackMismatch):
        # The pages and `faceweb doctor` say so; searches go on and accept nobody.
        return None


def standings(pack: ActivePack) -> tuple[Standing, ...]:
    """Each kind of classifier with a pack."""
    rows = {row.kind: row for row in TrainedClassifier.objects.filter(pack=pack.id).select_related("trained_by")}
    needed = asked_for(pack.id)
    gallery = templates.searched_digest(pack.id) if rows else ""
    return tuple(
        Standing(kind, _state(rows.get(kind.value), pack, gallery), rows.get(kind.value), kind in needed)
        for kind in CLASSIFIERS
    )


def _state(row: TrainedClassifier | None, pack: ActivePack, gallery: str) -> State:
    if row is None:
        return State.MISSING
    if usable(pack, Strategy(row.kind)) is None:
        return State.DAMAGED
    return State.FRESH if row.gallery == gallery else State.OUTDATED


def asked_for(pack_id: int, *, or_approved: bool = False) -> frozenset[Strategy]:
    """The kinds that policies of a pack ask that are in force at any place.

    Args:
        pack_id: primary key of the pack.
        or_approved: whether policies count that are approved for a later time.
    """
    states = [ThresholdPolicy.State.ACTIVE, *([ThresholdPolicy.State.APPROVED] if or_approved else [])]
    found = ThresholdPolicy.objects.filter(pack=pack_id, state__in=states, strategy__in=[*CLASSIFIERS])
    return frozenset(Strategy(strategy) for strategy in found.values_list("strategy", flat=True))


def left() -> Left:
    """What is there now of all that classifiers may have been made of."""
    samples = np.array(FaceSample.objects.values_list("pk", "person_id"), np.int64).reshape(-1, 2)
    faces = np.array(UnknownFace.objects.values_list("pk", flat=True), np.int64)
    return Left(people=np.unique(samples[:, 1]), samples=samples[:, 0], faces=faces)


def other_people(pack: ActivePack) -> OtherPeople:
    """Unknown faces that the pack has embedded, the newest of each unknown person; none of who was assigned."""
    seen = UnknownFace.objects.filter(
        Q(cluster=None) | ~Q(cluster__state=UnknownCluster.State.ASSIGNED), pack=pack.id, embedding__isnull=False
    ).annotate(place=Window(RowNumber(), partition_by=F("cluster"), order_by="-pk"))
    rows = list(
        seen.filter(Q(cluster=None) | Q(place__lte=FACES_A_PERSON))
        .order_by("-pk")
        .values_list("pk", "cluster", "cluster__state", "embedding")[:MOST_SEEN]
    )
    # A face that is not grouped yet is somebody by itself: between those of the groups and those that are made up.
    groups = [cluster or -_NOT_GROUPED - number for number, cluster, _, _ in rows]
    return OtherPeople(
        np.array([vector for _, _, _, vector in rows], np.float32).reshape(len(rows), pack.dimension),
        np.array([number for number, _, _, _ in rows], np.int64),
        np.array(groups, np.int64),
        np.array([state == UnknownCluster.State.IGNORED for _, _, state, _ in rows], np.bool_),
    )


_NOT_GROUPED = 2**40
"""More than there can be people who are made up."""


def newest_job() -> Job | None:
    """The training that was asked for last."""
    return Job.objects.filter(kind=Job.Kind.CLASSIFIERS).order_by("-pk").first()


def newest_comparison(pack_id: int) -> Job | None:
    """The training that came to its end last with a pack."""
    done = Job.objects.filter(kind=Job.Kind.CLASSIFIERS, state=Job.State.SUCCEEDED, result__pack=pack_id)
    return done.order_by("-finished_at", "-pk").first()
