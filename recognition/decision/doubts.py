"""What speaks against a new sample: it is somebody else's, it is unlike its own person's, or it is there already.

The limits come from the policy in force, so that they hold for every model pack; one alone is a number of its own.
Measured on the people of LFW view 1 with three or more images in docs/howto/enrol.md.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Mapping
from typing import Any

from recognition.decision.policy import Policy

NEAR_DUPLICATE_SIMILARITY = 0.93
"""From here two samples of one person are nearly the same picture. Of 1,540 different photos of 404 people two reach
it; a photo that was saved again smaller, or cut tighter, does as a rule (tests/accuracy/test_seeded_faults.py)."""

_STORED_DIGITS = 6


class DoubtReason(enum.StrEnum):
    """Why a sample that passes the gates is set aside."""

    IDENTITY_CONFLICT = "identity_conflict"
    OWN_OUTLIER = "own_outlier"
    DUPLICATE_SAMPLE = "duplicate_sample"


@dataclasses.dataclass(frozen=True, slots=True)
class Neighbour:
    """A sample of the gallery that is like the new one.

    Args:
        person_id: whose it is.
        sample_id: which one.
        similarity: to the new sample, -1..1.
    """

    person_id: int
    sample_id: int
    similarity: float


@dataclasses.dataclass(frozen=True, slots=True)
class Doubt:
    """One thing that speaks against a sample.

    Args:
        reason: what speaks against it.
        similarity: to the sample that it was held against, -1..1.
        limit: similarity from which (own_outlier: below which) there is doubt.
        sample_id: the sample that it was held against.
        person_id: whose that is.
    """

    reason: DoubtReason
    similarity: float
    limit: float
    sample_id: int
    person_id: int

    def as_json(self) -> dict[str, Any]:
        """What a sample keeps of it."""
        return {
            "reason": str(self.reason),
            "similarity": round(self.similarity, _STORED_DIGITS),
            "limit": round(self.limit, _STORED_DIGITS),
            "sample": self.sample_id,
            "person": self.person_id,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Doubt:
        """The inverse of `as_json`.

        Raises:
            ValueError: for a reason of no list.
        """
        return cls(
            reason=DoubtReason(stored["reason"]),
            similarity=stored["similarity"],
            limit=stored["limit"],
            sample_id=stored["sample"],
            person_id=stored["person"],
        )


def closest(neighbours: Iterable[Neighbour]) -> Neighbour | None:
    """The most similar one; of equals, the sample enrolled first."""
    return max(neighbours, key=lambda each: (each.similarity, -each.sample_id), default=None)


def find(
    *, own: Neighbour | None, other: Neighbour | None, policy: Policy, allows_alike: bool = False
) -> tuple[Doubt, ...]:
    """What speaks against a new sample, the gravest first; empty when nothing does.

    A face that is more like somebody else than like its own person, and like enough to be named, is likely
    theirs: a 1:N search would name them. A face that would not confirm its own person's claim is unlike all
    that is known of them. Both hold of most samples that were enrolled under a wrong name.

    Args:
        own: the person's own sample that is most like it; None where they have no other.
        other: the sample of anybody else that is most like it, of people who were not told apart before.
        policy: whose thresholds are the limits.
        allows_alike: whether it may be nearly the same picture as one of the person's own, as poses of one sitting are.
    """
    doubts = []
    is_named = other is not None and other.similarity >= policy.identification_threshold
    if other is not None and is_named and (own is None or other.similarity > own.similarity):
        doubts.append(_held(DoubtReason.IDENTITY_CONFLICT, other, policy.identification_threshold))
    if own is not None and own.similarity < policy.verification_threshold:
        doubts.append(_held(DoubtReason.OWN_OUTLIER, own, policy.verification_threshold))
    if own is not None and own.similarity >= NEAR_DUPLICATE_SIMILARITY and not allows_alike:
        doubts.append(_held(DoubtReason.DUPLICATE_SAMPLE, own, NEAR_DUPLICATE_SIMILARITY))
    return tuple(doubts)


def _held(reason: DoubtReason, against: Neighbour, limit: float) -> Doubt:
    return Doubt(reason, against.similarity, limit, against.sample_id, against.person_id)
