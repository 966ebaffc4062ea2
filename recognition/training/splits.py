"""Parts the people of a data set, so that nobody is in two parts."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterable

STOPPING_SHARE, VALIDATION_SHARE = 0.15, 0.15
"""Of the people; the others are learned from."""

LEAST_PEOPLE = 10
"""So that each part has somebody to be taken for."""


class TooFewPeople(ValueError):
    """There are not enough people to learn from some and to judge by others."""


@dataclasses.dataclass(frozen=True, slots=True)
class Parts:
    """Three groups of people, none in two of them.

    Args:
        learning: whose images the head is fitted to.
        stopping: whose images say when to stop.
        validation: whose images say whether the head is better; used once, at the end.
    """

    learning: frozenset[str]
    stopping: frozenset[str]
    validation: frozenset[str]


def by_person(people: Iterable[str], *, seed: int) -> Parts:
    """Shuffles people into the three parts.

    Args:
        people: names; each counts once.
        seed: which shuffle.

    Raises:
        TooFewPeople: for fewer than `LEAST_PEOPLE`.
    """
    # By code points, not by locale: the same parts on every machine.
    names = sorted(set(people))
    if len(names) < LEAST_PEOPLE:
        raise TooFewPeople(f"expected {LEAST_PEOPLE} people or more whose faces were found, got {len(names)}")
    random.Random(seed).shuffle(names)  # noqa: S311  # a repeatable choice, nothing secret
    stopping, validation = (max(1, round(len(names) * share)) for share in (STOPPING_SHARE, VALIDATION_SHARE))
    return Parts(
        learning=frozenset(names[stopping + validation :]),
        stopping=frozenset(names[:stopping]),
        validation=frozenset(names[stopping : stopping + validation]),
    )
