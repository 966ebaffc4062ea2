"""Several votes of one track become one decision: k of the last n agree; "unknown" is a vote."""

from __future__ import annotations

import collections
from collections.abc import Iterable

from recognition.decision.policy import Policy
from recognition.decision.verdict import Vote


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
        key=lambda vote: vote.best.similarity if vote.best else -1.0,
    )
    return best, counts[answer]


def decided(votes: Iterable[Vote], policy: Policy) -> Vote | None:
    """The vote that stands for the decision, or None while k of the last n do not agree."""
    vote, count = leading(votes, policy)
    return vote if count >= policy.votes_needed else None
