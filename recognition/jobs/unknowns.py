"""The job that groups the faces of events whom nobody was recognised by.

Events keep no vector, so the kept pictures are embedded by the pack in use, those that it has not looked at yet. Then
every face that has no place yet gets one; what staff decided stays as it is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from recognition import conf
from recognition.decision.clustering import MOST_TOGETHER, CannotCluster
from recognition.jobs import deciding
from recognition.jobs.importing import PACK_UNUSABLE
from recognition.jobs.pack_switch import networks_of
from recognition.jobs.running import JobFailed, Steps
from recognition.models import EventCrop, ModelPack
from recognition.selectors import unknowns as read
from recognition.selectors.packs import ActivePack
from recognition.services import unknowns
from recognition.services.unknowns import Grouped
from recognition.vision.errors import PackError
from recognition.vision.pipeline import PROBE_CROP

if TYPE_CHECKING:
    from recognition.vision.pipeline import FacePipeline
    from recognition.vision.types import Embedding

FACES_A_STEP = 16
"""Faces that are stored together; a process that dies loses the work on these, and the next one does it again."""

TOO_MANY_ALIKE = "too_many_alike"


def group(steps: Steps) -> Mapping[str, Any]:
    """Embeds what the pack has not looked at, step by step, then finds a place for every face.

    Raises:
        JobFailed: without a pack that decides, when it cannot be loaded here, or when too many faces are alike.
    """
    pack, policy = deciding.pack_and_policy()
    load = functools.partial(networks_of, ModelPack.objects.get(pk=pack.id))
    try:
        return grouped_after_embedding(pack, policy.identification_threshold, load, steps)
    except PackError as error:
        raise JobFailed(PACK_UNUSABLE) from error
    except CannotCluster as error:
        raise JobFailed(TOO_MANY_ALIKE, most=MOST_TOGETHER) from error


def grouped_after_embedding(
    pack: ActivePack, threshold: float, load: Callable[[], FacePipeline], steps: Steps
) -> Mapping[str, Any]:
    """The work itself, for whoever knows how to get at the networks.

    Args:
        pack: in use.
        threshold: mean similarity from which faces are one person's, -1..1.
        load: makes its networks ready; called only where there is something to embed.
        steps: is told of each step.

    Returns:
        Numbers; `admin.job_detail` makes sentences of them.

    Raises:
        PackError: when the pack cannot be loaded here.
        CannotCluster: when too many faces are alike.
    """
    done = _embed(pack, load, steps)
    grouped: list[Grouped] = []

    def place() -> None:
        grouped.append(unknowns.group(pack=pack, threshold=threshold))

    steps.store(place, done=done + 1, total=done + 1, checkpoint={})
    (found,) = grouped
    return {"faces": found.faces, "joined": found.joined, "made": found.made, "merged": found.merged, "looked_at": done}


def _embed(pack: ActivePack, load: Callable[[], FacePipeline], steps: Steps) -> int:
    """Embeds every picture that waits; returns how many it looked at."""
    waiting = read.to_embed(pack.id)
    total, done = waiting.count(), 0
    if not total:
        return 0
    pipeline = load()
    with ThreadPoolExecutor(conf.worker_threads()) as pool:
        # Asked anew each time, after the one before: what was stored waits no more, what was removed is gone.
        after = 0
        while numbers := list(waiting.filter(pk__gt=after).values_list("pk", flat=True)[:FACES_A_STEP]):
            embeddings = _embeddings(numbers, pipeline, pool)
            after, done = numbers[-1], done + len(numbers)
            steps.store(
                functools.partial(unknowns.store_vectors, pack=pack, embeddings=embeddings),
                done=done,
                total=max(total, done) + 1,
                checkpoint={},
            )
    return done


def _embeddings(
    numbers: Sequence[int], pipeline: FacePipeline, pool: ThreadPoolExecutor
) -> Mapping[int, Embedding | None]:
    from recognition.worker import reembedding

    pictures = dict(EventCrop.objects.filter(pk__in=numbers).values_list("pk", "jpeg"))
    embed = functools.partial(reembedding.embedding_of, pipeline=pipeline, kept=PROBE_CROP)
    return dict(zip(pictures, pool.map(embed, map(bytes, pictures.values())), strict=True))
