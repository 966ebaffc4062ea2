"""The job that measures thresholds on the site's own gallery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recognition.evaluation import gallery_scores
from recognition.evaluation.gallery_scores import Tally
from recognition.jobs import deciding
from recognition.jobs.running import Steps
from recognition.selectors import templates

BLOCK_ROWS = gallery_scores.BLOCK_ROWS


def measure(steps: Steps) -> Mapping[str, Any]:
    """Holds every sample against every other one, block by block, and keeps what was counted.

    A process that goes on with it begins after the last block that was kept, unless the gallery, the pack or the
    margin changed meanwhile: then from the start.

    Raises:
        JobFailed: without a pack that decides.
    """
    pack, policy = deciding.pack_and_policy()
    margin = policy.margin
    # Before the templates: what changes in between then counts as changed since.
    gallery = templates.searched_digest(pack.id)
    everybody = templates.searched(pack)
    basis = f"{pack.digest}:{margin}:{BLOCK_ROWS}:{everybody.fingerprint}"
    first, tally = _kept(steps.run.checkpoint, basis)
    blocks = gallery_scores.block_count(everybody, BLOCK_ROWS)
    for block in range(first, blocks):
        tally += gallery_scores.measure(everybody, block, margin=margin, block_rows=BLOCK_ROWS)
        steps.done(block + 1, blocks, {"basis": basis, "blocks": block + 1, "tally": tally.as_json()})
    return {
        "gallery": gallery,
        "pack": pack.id,
        "margin": margin,
        "people": len(set(everybody.people.tolist())),
        "samples": len(everybody),
        "tally": tally.as_json(),
    }


def _kept(checkpoint: Mapping[str, Any], basis: str) -> tuple[int, Tally]:
    if checkpoint.get("basis") != basis:
        return 0, Tally.nothing()
    return checkpoint["blocks"], Tally.from_json(checkpoint["tally"])
