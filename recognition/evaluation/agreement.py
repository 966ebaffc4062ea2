"""How well two people who judged the same things agree."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True, slots=True)
class Agreement:
    """How often two readers said the same.

    Args:
        count: how many things both judged.
        agreed: on how many of them they said the same.
        kappa: Cohen's kappa, at most 1; 0 is what chance alone gives. None where it is not defined: nothing was
            judged by both, or both said the same single thing of everything.
    """

    count: int
    agreed: int
    kappa: float | None

    @property
    def share(self) -> float | None:
        """Of the things on which they agreed, 0..1; None of none."""
        return self.agreed / self.count if self.count else None


def agreement(first: Sequence[str], second: Sequence[str]) -> Agreement:
    """Compares what two readers said of the same things.

    Source: J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
    Measurement 20 (1960): kappa = (p_o - p_e) / (1 - p_e), with the share p_o on which they agree and the share
    p_e on which they would by chance, each keeping to how often they use each answer.

    Args:
        first: the first reader's answers.
        second: the second reader's, in the same order.

    Raises:
        ValueError: when one has more answers than the other.
    """
    if len(first) != len(second):
        raise ValueError(f"second: expected {len(first)} answers like the first, got {len(second)}")
    count = len(first)
    agreed = sum(one == other for one, other in zip(first, second, strict=True))
    used, used_by_second = collections.Counter(first), collections.Counter(second)
    # In whole numbers, so that a chance of exactly 1 is seen as such.
    by_chance = sum(times * used_by_second[answer] for answer, times in used.items())
    kappa = (agreed * count - by_chance) / (count**2 - by_chance) if by_chance < count**2 else None
    return Agreement(count, agreed, kappa)
