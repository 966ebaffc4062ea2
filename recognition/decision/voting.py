"""Several votes of one track become one decision: k of the last n agree; "unknown" is a vote."""

from __future__ import annotations

import collections
import dataclasses
import math
from collections.abc import Iterable

from recognition.decision import verdict
from recognition.decision.policy import Policy
from recognition.decision.verdict import Decision, Vote, json_number
from recognition.vision.types import Quality

_DIGITS = 4
"""Of a similarity that are stored: runtimes differ beyond them."""


@dataclasses.dataclass(frozen=True, slots=True)
class VoteRecord:
    """One vote of a transaction.

    Args:
        at_ms: since the transaction began or, of a live session, the face was first seen.
        vote: what it said.
        quality: of the face.
    """

    at_ms: float
    vote: Vote
    quality: Quality

    def as_json(self, *, counts: bool = True) -> dict[str, object]:
        """What the event keeps of it; people by number, never by name.

        Args:
            counts: whether it counted to the end; not when it was set aside.
        """
        best, runner_up = self.vote.best, self.vote.runner_up
        return {
            "at_ms": round(self.at_ms),
            "decision": self.vote.decision.value,
            "best_person": best.person_id if best else None,
            "best_sample": best.sample_id if best else None,
            "similarity": json_number(best.similarity, digits=_DIGITS) if best else None,
            "runner_up": runner_up.person_id if runner_up else None,
            "runner_up_similarity": json_number(runner_up.similarity, digits=_DIGITS) if runner_up else None,
            "margin": json_number(self.vote.margin, digits=_DIGITS),
            "others": [
                {
                    "person": other.person_id,
                    "sample": other.sample_id,
                    "similarity": json_number(other.similarity, digits=_DIGITS),
                }
                for other in self.vote.others
            ],
            "counts": counts,
            "quality": self.quality.measurements_json(),
            **({"objection": self.vote.objection.value} if self.vote.objection is not None else {}),
        }


def leading(votes: Iterable[Vote], policy: Policy) -> tuple[Vote | None, int]:
    """The answer that most of the last n votes give.

    Args:
        votes: all votes of the track, oldest first.
        policy: says n.

    Returns:
        The most similar vote of the leading answer, and how many votes it has; (None, 0) without
        votes. Of two answers with as many votes, the one voted for last leads.
    """
    window = list(votes)[-policy.votes_of :]
    if not window:
        return None, 0
    counts = collections.Counter(vote.answer for vote in window)
    last = {vote.answer: position for position, vote in enumerate(window)}
    answer = max(counts, key=lambda answer: (counts[answer], last[answer]))
    best = max(
        (vote for vote in window if vote.answer == answer),
        key=_closeness,
    )
    return best, counts[answer]


def decided(votes: Iterable[Vote], policy: Policy) -> Vote | None:
    """The vote that stands for the decision, or None while k of the last n do not agree.

    Once they agree on a person, one vote for somebody of the deny list outweighs them: it stands for the
    decision in their place. Whoever is that like a banned person is not let in as another, however often
    they look like that one too. An answer that names nobody opens nothing, so it stays as it is.

    Args:
        votes: all votes that count, oldest first. One of the deny list counts also when it is older than
            the last n: whoever could wait until it is forgotten would only have to stand there.
        policy: says k and n.
    """
    cast = list(votes)
    vote, count = leading(cast, policy)
    if vote is None or count < policy.votes_needed:
        return None
    hits = [cast_vote for cast_vote in cast if cast_vote.is_deny_list_hit]
    return max(hits, key=_closeness) if hits and vote.names_somebody else vote


def may_be_denied(records: Iterable[VoteRecord], policy: Policy) -> bool:
    """Whether a vote between two people is one about somebody of the deny list; see `verdict.may_be_denied`."""
    undecided = (record.vote for record in records if record.vote.decision is Decision.REJECT_AMBIGUOUS)
    return any(verdict.may_be_denied(vote, policy) for vote in undecided)


def _closeness(vote: Vote) -> float:
    """The similarity of the best person; below every other where there is none, or it is not a number."""
    if vote.best is None or math.isnan(vote.best.similarity):
        return -math.inf
    return vote.best.similarity
