"""The job that tries a model pack out: embeds the gallery by it, and compares what it finds with the pack in use.

The pack in use goes on searching: it sees its own templates alone. What was embedded stays, so that the switch itself
takes no time.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from recognition import conf
from recognition.decision import gallery_check, pack_comparison
from recognition.decision.gallery_check import ConfusablePair
from recognition.decision.pack_comparison import Nearest, RankChange
from recognition.jobs.running import JobFailed, Steps
from recognition.models import ModelPack, SampleImage
from recognition.selectors import pack_switch, packs, templates
from recognition.selectors.packs import ActivePack
from recognition.services import pack_rules
from recognition.services import pack_switch as switching
from recognition.vision.errors import PackError
from recognition.vision.templates import Templates

if TYPE_CHECKING:
    from recognition.vision.pipeline import FacePipeline
    from recognition.vision.types import Embedding

SAMPLES_A_STEP = 16
"""Samples that are stored together; a process that dies loses the work on these, and the next one does it again."""

BLOCK_ROWS = gallery_check.BLOCK_ROWS

MOST_TOLD = 200
"""Findings of each kind that the result lists; all are counted."""

PACK_GONE = "pack_gone"
PACK_UNUSABLE = "other_pack_unusable"

_STORED_DIGITS = 6


def try_out(steps: Steps) -> Mapping[str, Any]:
    """Embeds what the pack has not embedded yet, step by step, then compares.

    A process that goes on with it begins after the last sample that was kept. The comparison takes seconds, and begins
    anew.

    Raises:
        JobFailed: when the pack is gone, or cannot be loaded where jobs run.
    """
    pack = ModelPack.objects.filter(pk=steps.run.parameters["pack"]).first()
    if pack is None:
        raise JobFailed(PACK_GONE)
    try:
        return compared_after_embedding(pack, functools.partial(networks_of, pack), steps)
    except PackError as error:
        raise JobFailed(PACK_UNUSABLE, pack=pack.name) from error


def compared_after_embedding(pack: ModelPack, load: Callable[[], FacePipeline], steps: Steps) -> Mapping[str, Any]:
    """The work itself, for whoever knows how to get at the networks.

    Args:
        pack: that is tried out.
        load: makes its networks ready; called only where there is something to embed.
        steps: is told of each step.

    Returns:
        Codes, ids and numbers; `admin.pack_switch_detail` makes sentences of them.

    Raises:
        PackError: when the pack cannot be loaded here.
    """
    after = _embed(pack, load, steps)
    return _compare(pack, steps, {"after": after})


def networks_of(pack: ModelPack) -> FacePipeline:
    """Loads a pack that the database knows.

    Raises:
        PackError: when it cannot be loaded here, or must not be brought into use.
    """
    # Imported here, because a process that does other jobs needs no networks, and they take seconds to load.
    from recognition import wiring
    from recognition.worker import engine

    loaded = engine.load_active(packs.described(pack), wiring.runtime_options())
    loaded.pack.require_fit()
    return loaded.pipeline


def _embed(pack: ModelPack, load: Callable[[], FacePipeline], steps: Steps) -> int:
    """Embeds all samples after the one that was kept last; returns the last one that was looked at."""
    after: int = steps.run.checkpoint.get("after", 0)
    total = SampleImage.objects.count()
    if not pack_switch.to_embed(pack.pk).filter(pk__gt=after).exists():
        return after
    pipeline = load()
    with ThreadPoolExecutor(conf.worker_threads()) as pool:
        while numbers := _next(pack, after):
            embeddings = _embeddings(numbers, pipeline, pool)
            after = numbers[-1]
            left = pack_switch.to_embed(pack.pk).filter(pk__gt=after).count()
            steps.store(
                functools.partial(switching.store_templates, pack=pack, embeddings=embeddings),
                done=max(total - left, 0),
                total=total + 1,
                checkpoint={"after": after},
            )
    return after


def _next(pack: ModelPack, after: int) -> Sequence[int]:
    # Asked anew each time: who is enrolled meanwhile has a greater number, and is embedded too.
    return list(pack_switch.to_embed(pack.pk).filter(pk__gt=after).values_list("pk", flat=True)[:SAMPLES_A_STEP])


def _embeddings(numbers: Sequence[int], pipeline: FacePipeline, pool: ThreadPoolExecutor) -> Mapping[int, Embedding]:
    from recognition.worker import reembedding

    pictures = dict(SampleImage.objects.filter(pk__in=numbers).values_list("pk", "jpeg"))
    found = pool.map(lambda jpeg: reembedding.embedding_of(bytes(jpeg), pipeline), pictures.values())
    return {number: vector for number, vector in zip(pictures, found, strict=True) if vector is not None}


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """What one pack makes of the gallery."""

    everybody: Templates
    nearest: Nearest
    confusable: tuple[ConfusablePair, ...]


def _compare(pack: ModelPack, steps: Steps, checkpoint: Mapping[str, Any]) -> Mapping[str, Any]:
    threshold = pack_rules.verification_threshold(pack)
    new, old = packs.described(pack), pack_switch.in_use()
    # Before the templates: what changes between the two is then seen as a change, at the switch.
    basis = switching.basis(pack=pack)
    before = templates.searched(old) if old is not None else _none(new)
    after = templates.searched(new)
    counts = [gallery_check.block_count(everybody, BLOCK_ROWS) for everybody in (before, after)]
    embedded = SampleImage.objects.count()
    total, done = embedded + sum(counts) + 1, embedded

    def look(everybody: Templates, blocks: int, limit: float | None) -> _Compared:
        nonlocal done
        found: list[Nearest] = []
        pairs: tuple[ConfusablePair, ...] = ()
        for block in range(blocks):
            found.append(pack_comparison.nearest(everybody, block, BLOCK_ROWS))
            if limit is not None:
                some = gallery_check.confusable(everybody, block, limit, BLOCK_ROWS)
                pairs = gallery_check.merged(pairs, some)
            done += 1
            steps.done(done, total, checkpoint)
        return _Compared(everybody, pack_comparison.joined(found), pairs)

    held = old.policy.verification_threshold if old is not None and old.policy is not None else None
    result = _result(look(before, counts[0], held), look(after, counts[1], threshold), threshold)
    lost = pack_switch.lost_people(old.id if old else None, pack.pk)
    return {
        "pack": pack.pk,
        "before": old.id if old else None,
        "basis": basis,
        **dataclasses.asdict(pack_switch.embedded(pack.pk)),
        "lost": {"count": lost.count(), "told": [{"people": [number]} for number in _numbers(lost)]},
        **result,
    }


def _none(pack: ActivePack) -> Templates:
    return Templates(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, pack.dimension), np.float32))


def _numbers(people: Any) -> list[int]:
    return list(people.values_list("pk", flat=True)[:MOST_TOLD])


def _result(before: _Compared, after: _Compared, threshold: float | None) -> dict[str, Any]:
    ranks = pack_comparison.ranks(before.everybody, after.everybody, before.nearest, after.nearest)
    new = pack_comparison.newly_confused(before.confusable, after.confusable)
    return {
        "people": len(set(before.everybody.people.tolist())),
        "probes": ranks.probes,
        "better": ranks.better,
        "worse": {"count": len(ranks.worse), "told": _told(ranks.worse)},
        "threshold": threshold,
        "newly_confused": {"count": len(new), "told": _told(new)},
    }


def _told(findings: Sequence[ConfusablePair | RankChange]) -> list[dict[str, Any]]:
    return [
        {
            "people": list(finding.people),
            "samples": list(finding.samples),
            "similarity": round(finding.similarity, _STORED_DIGITS),
        }
        for finding in findings[:MOST_TOLD]
    ]
