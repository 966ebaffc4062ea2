"""The ways to search that are measured beside each other: those of the product, and those that lost."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import psycopg
from django.db import connection
from numpy.typing import NDArray
from pgvector import Vector

from recognition.evaluation.face_like import FaceLikeGallery
from recognition.selectors import gallery as product
from recognition.selectors import sketched
from recognition.selectors.packs import ActivePack
from recognition.vision.types import Embedding

EXACT, SKETCHES = "exact", "sketches"

SHORTLIST = 1000
"""Of bits in the database, which are 128: twice as many as the product compares."""

BYTES_A_SKETCH = 44
"""Four words, the number of the template and the scale of its rough copy, which is one more for each of its numbers."""

INDEX = "bench_index"
BITS = "bench_bits"

_JOINED = """
    JOIN recognition_facesample sample ON sample.id = template.sample_id AND sample.status = 'active'
    JOIN recognition_person person ON person.id = sample.person_id AND person.is_active
        AND person.merged_into_id IS NULL
"""
_BY_INDEX = """
    SELECT template.sample_id, person.id, person.name, 1 - (template.embedding <=> %(probe)s)
    FROM recognition_facetemplate template {joined}
    WHERE template.pack_id = {pack} ORDER BY {column} <=> %(probe)s::{type} LIMIT 64
"""
_BY_BITS = """
    WITH shortlist AS MATERIALIZED (
        SELECT {id} AS id FROM {table} WHERE {which}
        ORDER BY {bits} <~> binary_quantize(%(probe)s::vector({d})) LIMIT {shortlist}
    )
    SELECT template.sample_id, person.id, person.name, 1 - (template.embedding <=> %(probe)s)
    FROM shortlist JOIN recognition_facetemplate template USING (id) {joined}
    ORDER BY template.embedding <=> %(probe)s LIMIT 64
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Method:
    """A way to search that is ready.

    Args:
        search: from a probe, (d,) float32, to the primary key of the nearest sample.
        is_scan: whether it looks at every vector.
        build_s: to make what it needs.
        disk_mb: of that in the database.
        memory_mb: of that in the process.
    """

    search: Callable[[NDArray[np.float32]], int]
    is_scan: bool = False
    build_s: float = 0.0
    disk_mb: float = 0.0
    memory_mb: float = 0.0


Builder = Callable[[FaceLikeGallery, ActivePack], AbstractContextManager[Method]]


@contextlib.contextmanager
def _exact(_gallery: FaceLikeGallery, pack: ActivePack) -> Iterator[Method]:
    yield Method(_product(pack, exact=True), is_scan=True)


@contextlib.contextmanager
def _sketches(gallery: FaceLikeGallery, pack: ActivePack) -> Iterator[Method]:
    begin = time.perf_counter()
    sketched.hold(pack)
    taken = time.perf_counter() - begin
    held = len(gallery.vectors) * (BYTES_A_SKETCH + pack.dimension) / 2**20
    yield Method(_product(pack, exact=False), build_s=taken, disk_mb=_size_mb("template_arrivals"), memory_mb=held)


def _product(pack: ActivePack, *, exact: bool) -> Callable[[NDArray[np.float32]], int]:
    def search(probe: NDArray[np.float32]) -> int:
        best = product.search(Embedding(probe, pack.digest), pack, exact=exact).best
        return best.sample_id if best is not None and best.sample_id is not None else -1

    return search


@contextlib.contextmanager
def _exact_numpy(gallery: FaceLikeGallery, _pack: ActivePack) -> Iterator[Method]:
    """All vectors in memory and nothing of the database: what the bare arithmetic takes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id) FROM recognition_facesample")
        (first,) = cursor.fetchone()
    yield Method(
        lambda probe: int(first + (gallery.vectors @ probe).argmax()),
        is_scan=True,
        memory_mb=gallery.vectors.nbytes / 2**20,
    )


def _by_index(kind: str, operators: str, ef_search: int) -> Builder:
    @contextlib.contextmanager
    def build(_gallery: FaceLikeGallery, pack: ActivePack) -> Iterator[Method]:
        of_length = f"{kind}({pack.dimension})"
        column = f"(embedding::{of_length})"
        query = _BY_INDEX.format(joined=_JOINED, pack=pack.id, column=f"template.{column[1:-1]}", type=of_length)
        with _index(f"{column} {operators}", pack) as built:
            yield dataclasses.replace(built, search=_asking(query, ef_search))

    return build


@contextlib.contextmanager
def _bit_index(_gallery: FaceLikeGallery, pack: ActivePack) -> Iterator[Method]:
    bits = f"(binary_quantize(embedding::vector({pack.dimension}))::bit({pack.dimension}))"
    query = _BY_BITS.format(
        id="id",
        table="recognition_facetemplate",
        which=f"pack_id = {pack.id}",
        bits=bits,
        d=pack.dimension,
        shortlist=SHORTLIST,
        joined=_JOINED,
    )
    with _index(f"{bits} bit_hamming_ops", pack) as built:
        yield dataclasses.replace(built, search=_asking(query, SHORTLIST))


@contextlib.contextmanager
def _bit_scan(_gallery: FaceLikeGallery, pack: ActivePack) -> Iterator[Method]:
    begin = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {BITS} AS SELECT id AS number, binary_quantize(embedding::vector({pack.dimension}))"  # noqa: S608
            f"::bit({pack.dimension}) AS bits FROM recognition_facetemplate"
        )
        cursor.execute(f"VACUUM ANALYZE {BITS}")
    taken = time.perf_counter() - begin
    query = _BY_BITS.format(
        id="number", table=BITS, which="true", bits="bits", d=pack.dimension, shortlist=SHORTLIST, joined=_JOINED
    )
    yield Method(_asking(query, SHORTLIST), is_scan=True, build_s=taken, disk_mb=_size_mb(BITS))
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {BITS}")


@contextlib.contextmanager
def _index(on: str, pack: ActivePack) -> Iterator[Method]:
    """With the parameters that were best for faces: see ADR 13."""
    begin = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE INDEX {INDEX} ON recognition_facetemplate USING hnsw ({on})"
            f" WITH (m = 16, ef_construction = 128) WHERE pack_id = {pack.id}"
        )
    taken = time.perf_counter() - begin
    yield Method(lambda probe: -1, build_s=taken, disk_mb=_size_mb(INDEX))
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {INDEX}")


def _asking(query: str, ef_search: int) -> Callable[[NDArray[np.float32]], int]:
    with connection.cursor() as cursor:
        cursor.execute(f"SET hnsw.ef_search = {ef_search}")
        cursor.execute("SET hnsw.iterative_scan = strict_order")

    def search(probe: NDArray[np.float32]) -> int:
        with psycopg.Cursor(connection.connection) as cursor:
            cursor.execute(query, {"probe": Vector(probe).to_text()})
            rows: list[Any] = cursor.fetchall()
        return int(max(rows, key=lambda row: row[3])[0])

    return search


def _size_mb(relation: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s::regclass)", [relation])
        return int(cursor.fetchone()[0]) / 2**20


METHODS: dict[str, Builder] = {
    EXACT: _exact,
    "exact_numpy": _exact_numpy,
    SKETCHES: _sketches,
    "bit_scan": _bit_scan,
    "bit_hnsw": _bit_index,
    "halfvec_hnsw": _by_index("halfvec", "halfvec_cosine_ops", 400),
    "hnsw": _by_index("vector", "vector_cosine_ops", 200),
    "hnsw_1000": _by_index("vector", "vector_cosine_ops", 1000),
}
"""By the name under which the results go; the quick ones first."""
