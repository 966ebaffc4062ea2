"""Groups unknown faces of events, and does what staff decides on the groups; all of that can be undone.

Who groups and who decides does so one after the other, in all processes: nobody decides on what is just being moved.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

from django.db import connection, transaction

from recognition.decision import unknowns as decided
from recognition.models import UnknownCluster, UnknownFace, UnknownMove
from recognition.selectors import unknowns as read
from recognition.selectors.packs import ActivePack
from recognition.vision.types import Embedding

_LOCK = 5_412_093_318_720_416
"""Key of the advisory lock under which clusters change; any constant of ours will do."""


@dataclasses.dataclass(frozen=True, slots=True)
class Grouped:
    """What a grouping came to.

    Args:
        faces: that the pack has embedded.
        joined: of them, new ones that joined a cluster that was there.
        made: clusters that were made.
        merged: clusters that nobody had touched and that turned out to be part of another.
    """

    faces: int
    joined: int
    made: int
    merged: int


def hold_off_others() -> None:
    """Lets nobody else change clusters until the end of the transaction; taken before any row is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


@transaction.atomic
def store_vectors(*, pack: ActivePack, embeddings: Mapping[int, Embedding | None]) -> None:
    """Keeps what a pack made of pictures; a face that was embedded before stays in its cluster.

    Args:
        pack: that embedded them.
        embeddings: by the number of the event; None where the pack sees no face. Pictures that are gone are left out.
    """
    hold_off_others()
    there = read.to_embed(pack.id).filter(pk__in=embeddings).select_for_update(of=("self",))
    rows = [
        UnknownFace(crop_id=number, pack_id=pack.id, embedding=embedding.vector if embedding is not None else None)
        for number in there.values_list("pk", flat=True)
        for embedding in [embeddings[number]]
    ]
    UnknownFace.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["crop"], update_fields=["pack", "embedding"]
    )


@transaction.atomic
def group(*, pack: ActivePack, threshold: float) -> Grouped:
    """Finds a place for every face that has none; see `decision.unknowns.placed`.

    Args:
        pack: whose vectors are compared.
        threshold: mean similarity from which faces are one person's, -1..1.

    Raises:
        clustering.CannotCluster: when too many faces hang together.
    """
    hold_off_others()
    faces = read.faces(pack.id, pack.dimension)
    placement = decided.placed(faces, threshold)
    _move("cluster_id", placement.merged)
    made = UnknownCluster.objects.bulk_create([UnknownCluster() for _ in placement.new])
    new = {face: row.pk for row, numbers in zip(made, placement.new, strict=True) for face in numbers}
    _move("crop_id", {**placement.joins, **new})
    _forget_empty()
    return Grouped(len(faces.numbers), len(placement.joins), len(made), len(placement.merged))


def _move(column: Literal["cluster_id", "crop_id"], targets: Mapping[int, int]) -> None:
    """Puts faces into clusters, by the number of each or of the cluster that it is in.

    By one statement: Django's writes a case for each, of which 16,000 took half of a run.
    """
    table = UnknownFace._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET cluster_id = moved.target"  # noqa: S608  # names of our own
            f" FROM unnest(%s::bigint[], %s::bigint[]) AS moved (number, target) WHERE {table}.{column} = moved.number",
            [list(targets.keys()), list(targets.values())],
        )


def _forget_empty() -> None:
    """Removes clusters whose last face went with its event, but for those that an undo would fill again."""
    named = UnknownMove.objects.filter(undone_at=None).values_list("clusters", flat=True)
    wanted = {number for numbers in named for number in numbers}
    UnknownCluster.objects.filter(faces__isnull=True).exclude(pk__in=wanted).delete()
