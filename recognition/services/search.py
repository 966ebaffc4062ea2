"""Answers "who is this?" and "is this them?" for photos; nothing is stored."""

from __future__ import annotations

import dataclasses

from recognition import wording
from recognition.decision import matching, verdict
from recognition.decision.matching import Candidate, CandidateList
from recognition.decision.policy import Policy, QualityFault, QualityGates, SampleReason
from recognition.decision.verdict import Decision, Reason, Vote
from recognition.models import Person
from recognition.selectors import gallery, packs
from recognition.services import analysis
from recognition.vision.errors import ImageError
from recognition.vision.types import BoundingBox, EmbeddedFace, Quality

CANDIDATES_SHOWN = 5


class SearchRefused(Exception):
    """The photo cannot be searched; the text is for the person who sent it."""


@dataclasses.dataclass(frozen=True, slots=True)
class FaceMatches:
    """One face of the photo and whom it is like.

    Args:
        box: where it is in the photo.
        quality: what was measured of it.
        crop_jpeg: the face, as a JPEG.
        candidates: ranked people, at most five.
        margin: gap between the first two; None with fewer.
        decision: what the active policy says of it; None while the pack decides nothing.
        objection: why a classifier takes the name back, in a sentence; empty where it does not.
        faults: why a camera's face like this would not be compared; empty for a good one.
    """

    box: BoundingBox
    quality: Quality
    crop_jpeg: bytes
    candidates: tuple[Candidate, ...]
    margin: float | None
    decision: Decision | None
    objection: str = ""
    faults: tuple[QualityFault, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class PhotoSearch:
    """What a photo search found.

    Args:
        faces: the largest first; empty when the photo shows none.
        pack_name: the pack that compared.
        policy_version: the policy in force; None while the pack decides nothing.
        threshold: its identification threshold.
        needs_reembedding: whether enrolled people are missing from this pack's gallery.
    """

    faces: tuple[FaceMatches, ...]
    pack_name: str
    policy_version: int | None
    threshold: float | None
    needs_reembedding: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ClaimCheck:
    """A 1:1 comparison with an enrolled person.

    Args:
        similarity: the best of the person's samples; None when none is searched.
        distance: Euclidean distance of the same unit vectors, 0..2; None with it.
        threshold: the verification threshold; None while the pack decides nothing.
        decision: accept or reject_no_match; None while the pack decides nothing.
        policy_version: the policy in force.
        faults: see `FaceMatches`.
    """

    similarity: float | None
    distance: float | None
    threshold: float | None
    decision: Decision | None
    policy_version: int | None
    faults: tuple[QualityFault, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """Two photos compared.

    Args:
        similarity: cosine of their largest faces.
        distance: Euclidean distance of the same unit vectors, 0..2.
        threshold: the verification threshold; None while the pack decides nothing.
        decision: accept or reject_no_match; None while the pack decides nothing.
        faults: of the first and of the second face, see `FaceMatches`.
    """

    similarity: float
    distance: float
    threshold: float | None
    decision: Decision | None
    faults: tuple[tuple[QualityFault, ...], tuple[QualityFault, ...]] = ((), ())


def search_photo(*, image: bytes) -> PhotoSearch:
    """Finds every face of a photo and ranks the enrolled people for each.

    Args:
        image: the file as it came.

    Raises:
        SearchRefused: when the photo cannot be read.
        AnalyserUnavailable: when no worker can look at it.
    """
    faces = _analysed(image)
    pack = packs.active()
    matches = []
    for face in faces:
        found = gallery.search(face.embedding, pack)
        vote = verdict.judge(found, pack.policy) if pack.policy else None
        matches.append(
            FaceMatches(
                box=face.face.box,
                quality=face.quality,
                crop_jpeg=face.crop_jpeg,
                candidates=found.people[:CANDIDATES_SHOWN],
                margin=found.margin,
                decision=vote.decision if vote else None,
                objection=_objection(vote, pack.policy) if vote and pack.policy else "",
                faults=_faults(face, pack.policy),
            )
        )
    return PhotoSearch(
        faces=tuple(matches),
        pack_name=pack.name,
        policy_version=pack.policy.version if pack.policy else None,
        threshold=pack.policy.identification_threshold if pack.policy else None,
        needs_reembedding=packs.gallery_state(pack.id).needs_reembedding,
    )


def _objection(vote: Vote, policy: Policy) -> str:
    if vote.objection is None or not verdict.is_withheld(vote, policy):
        return ""
    return wording.reason_sentence(Reason(vote.objection))


def _faults(face: EmbeddedFace, policy: Policy | None) -> tuple[QualityFault, ...]:
    return (policy.gates if policy else QualityGates()).faults(face.quality)


def verify_claim(*, person: Person, image: bytes) -> ClaimCheck:
    """Compares the largest face of a photo with one enrolled person.

    Raises:
        SearchRefused: when the photo cannot be read or shows no face.
        AnalyserUnavailable: when no worker can look at it.
    """
    face = largest_face(image=image)
    pack = packs.active()
    claimed = gallery.compare(face.embedding, pack, person.pk)
    best, decision = claimed.best, None
    if pack.policy is not None:
        # A comparison of photos opens nothing, so nobody is searched on the deny list for it.
        decision = verdict.judge_claim(claimed, CandidateList(), pack.policy).decision
    return ClaimCheck(
        similarity=best.similarity if best else None,
        distance=matching.unit_distance(best.similarity) if best else None,
        threshold=pack.policy.verification_threshold if pack.policy else None,
        decision=decision,
        policy_version=pack.policy.version if pack.policy else None,
        faults=_faults(face, pack.policy),
    )


def compare_faces(*, first: EmbeddedFace, second: EmbeddedFace) -> Comparison:
    """Compares two faces of photos.

    Raises:
        PackMismatch: when another pack came into use between the two.
    """
    similarity = first.embedding.similarity(second.embedding)
    policy = packs.active().policy
    decision = None
    if policy is not None:
        decision = Decision.ACCEPT if verdict.is_confirmed(similarity, policy) else Decision.REJECT_NO_MATCH
    return Comparison(
        similarity=similarity,
        distance=matching.unit_distance(similarity),
        threshold=policy.verification_threshold if policy else None,
        decision=decision,
        faults=(_faults(first, policy), _faults(second, policy)),
    )


def largest_face(*, image: bytes) -> EmbeddedFace:
    """The largest face of a photo.

    Raises:
        SearchRefused: when the photo cannot be read or shows no face.
        AnalyserUnavailable: when no worker can look at it.
    """
    faces = _analysed(image)
    if not faces:
        raise SearchRefused(wording.fault_sentence(QualityFault(SampleReason.NO_FACE, 0, 1)))
    return faces[0]


def _analysed(image: bytes) -> tuple[EmbeddedFace, ...]:
    try:
        return analysis.analyse(image)
    except ImageError as error:
        raise SearchRefused(wording.fault_sentence(wording.image_fault(error))) from error
