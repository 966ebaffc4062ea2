"""A self-test of searches: whether they find what a comparison with everybody would find."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from recognition.evaluation import face_like
from recognition.selectors import gallery, templates
from recognition.selectors.packs import ActivePack
from recognition.vision.types import Embedding

LEAST = 0.99
"""Share of the probes; below, searches miss people whom the database knows."""

PROBES = 200

_NOBODY = 0
_SAME = 1e-6  # of similarity: two samples of one picture are as good as each other


@dataclasses.dataclass(frozen=True, slots=True)
class Recall:
    """What the self-test found.

    Args:
        probes: how many were searched; 0 where every search compares everything, or nobody is enrolled.
        found: for how many the search found the nearest sample.
    """

    probes: int
    found: int

    @property
    def share(self) -> float:
        """Of the probes, 0..1; 1 where nothing needs to be tested."""
        return self.found / self.probes if self.probes else 1.0

    @property
    def is_low(self) -> bool:
        """Whether searches miss too many."""
        return self.share < LEAST

    def as_json(self) -> dict[str, int]:
        """As the result of a check keeps it."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> Recall:
        """What `as_json` gave."""
        return Recall(stored["probes"], stored["found"])


def measured(pack: ActivePack, *, probes: int, seed: int) -> Recall:
    """Searches probes that are as like a stored template as two photos of one person are.

    Takes as long as so many exact scans.

    Args:
        pack: whose gallery.
        probes: how many.
        seed: of which templates, and how the probes differ.
    """
    if gallery.is_exact(pack):
        return Recall(0, 0)
    random, statistics = np.random.default_rng(seed), face_like.load()
    found = [
        _is_found(Embedding.from_raw(face_like.further_sample(vector, statistics, random), pack.digest), pack)
        for vector in templates.sampled(pack, probes, random)
    ]
    return Recall(len(found), sum(found))


def _is_found(probe: Embedding, pack: ActivePack) -> bool:
    wanted, found = (
        gallery.others_like(probe, pack, _NOBODY, told_apart=frozenset(), exact=exact) for exact in (True, False)
    )
    return not wanted or (bool(found) and found[0].similarity >= wanted[0].similarity - _SAME)
