"""The job that looks through the whole gallery for what is wrong with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from recognition.decision import gallery_check
from recognition.decision.doubts import NEAR_DUPLICATE_SIMILARITY
from recognition.decision.gallery_check import ConfusablePair
from recognition.jobs import deciding
from recognition.jobs.running import Steps
from recognition.selectors import doubts, health, search_recall, templates
from recognition.selectors.health import Enrolled
from recognition.selectors.packs import ActivePack
from recognition.vision.templates import Templates

BLOCK_ROWS = gallery_check.BLOCK_ROWS

MOST_TOLD = 200
"""Findings of each kind that the result lists; all are counted."""

_STORED_DIGITS = 6

_SEED = 1
"""Of the self-test of searches: the same gallery gives the same result."""


def check(steps: Steps) -> Mapping[str, Any]:
    """Compares everybody with everybody, block by block, then everybody's samples with each other.

    A process that goes on with it begins after the last block that was kept, unless the gallery, the pack or the
    threshold changed meanwhile: then from the start.

    Raises:
        JobFailed: without a pack that decides.
    """
    pack, policy = deciding.pack_and_policy()
    threshold = policy.verification_threshold
    # Before the templates: what changes in between then counts as changed since.
    gallery = templates.searched_digest(pack.id)
    everybody = templates.searched(pack)
    basis = f"{pack.digest}:{threshold}:{BLOCK_ROWS}:{everybody.fingerprint}"
    blocks = gallery_check.block_count(everybody, BLOCK_ROWS)
    first, pairs = _kept(steps.run.checkpoint, basis)
    for block in range(first, blocks):
        pairs = gallery_check.merged(pairs, gallery_check.confusable(everybody, block, threshold, BLOCK_ROWS))
        kept = {"basis": basis, "blocks": block + 1, "pairs": [_flat(pair) for pair in pairs]}
        steps.done(block + 1, blocks + 1, kept)
    recall = search_recall.measured(pack, probes=search_recall.PROBES, seed=_SEED)
    return {"gallery": gallery, "recall": recall.as_json(), **_result(pack, everybody, threshold, pairs)}


def _kept(checkpoint: Mapping[str, Any], basis: str) -> tuple[int, tuple[ConfusablePair, ...]]:
    if checkpoint.get("basis") != basis:
        return 0, ()
    pairs = (
        ConfusablePair((one, other), (sample, other_sample), similarity)
        for one, other, sample, other_sample, similarity in checkpoint["pairs"]
    )
    return checkpoint["blocks"], tuple(pairs)


def _flat(pair: ConfusablePair) -> list[float]:
    return [*pair.people, *pair.samples, pair.similarity]


def _result(
    pack: ActivePack, everybody: Templates, threshold: float, pairs: tuple[ConfusablePair, ...]
) -> Mapping[str, Any]:
    apart = doubts.all_told_apart()
    pairs = tuple(pair for pair in pairs if pair.people not in apart)
    outliers = gallery_check.own_outliers(everybody, threshold)
    twice = gallery_check.duplicates(everybody, NEAR_DUPLICATE_SIMILARITY)
    return {
        "pack": pack.id,
        "people": len(set(everybody.people.tolist())),
        "samples": len(everybody),
        "threshold": threshold,
        "duplicate_threshold": NEAR_DUPLICATE_SIMILARITY,
        "confusable": {"count": len(pairs), "told": _told(pairs)},
        "outliers": {"count": len(outliers), "told": _told(outliers)},
        "duplicates": {"count": len(twice), "told": _told(twice)},
        **{code: _counted(found) for code, found in _neglected().items()},
    }


def _neglected() -> Mapping[str, list[Enrolled]]:
    """Whose enrolment deserves a look, by why; the worst of each kind first."""
    now, everybody = timezone.now(), health.everybody()
    return {
        "thin": sorted((each for each in everybody if each.is_thin), key=lambda each: each.samples),
        "unseen": [each for each in everybody if each.is_unseen(now)],
        "stale": sorted(
            (each for each in everybody if each.is_stale(now)),
            key=lambda each: each.last_seen or now,
        ),
    }


def _counted(found: list[Enrolled]) -> dict[str, Any]:
    told = [
        {
            "person": each.person,
            "samples": each.samples,
            "sample": each.sample,
            "no_front": each.no_front,
            "last_seen": each.last_seen.isoformat() if each.last_seen else None,
        }
        for each in found[:MOST_TOLD]
    ]
    return {"count": len(found), "told": told}


def _told(findings: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [
        {**dataclasses.asdict(finding), "similarity": round(finding.similarity, _STORED_DIGITS)}
        for finding in findings[:MOST_TOLD]
    ]
