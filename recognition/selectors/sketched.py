"""The sketches of the gallery that this process holds, in step with the database.

Every search asks first what has come since the one before, by the transactions that brought it, so that nothing that is
committed is missed, in whatever order it was. What was deleted stays in memory for an hour at most and is never found:
whoever searches asks the database for the few templates that are named here.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator

import numpy as np
import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper
from numpy.typing import NDArray

from recognition.decision.sketches import Sketches
from recognition.models import FaceTemplate
from recognition.selectors.packs import ActivePack
from recognition.vision.types import Embedding

FORGET_INTERVAL_S = 3600.0
"""How often what was deleted is forgotten."""

_TABLE = FaceTemplate._meta.db_table
_ROWS_AT_A_TIME = 65_536
_COPY_HEADER_BYTES = 19
_COPY_TRAILER_BYTES = 2

_ARRIVED = (
    f"FROM {_TABLE} WHERE pack_id = %(pack)s AND arrived_in >= pg_snapshot_xmin(%(seen)s::pg_snapshot)"
    " AND NOT pg_visible_in_snapshot(arrived_in, %(seen)s::pg_snapshot)"
)
_MOMENT = """
    SELECT
        pg_current_snapshot()::text,
        (SELECT pg_postmaster_start_time() || ' ' || oid FROM pg_database WHERE datname = current_database())
"""
# In the order of the index, so that no other plan comes into question: a statistic may be as old as the last import.
_NEWS = f"{_MOMENT}, (SELECT true {_ARRIVED} ORDER BY arrived_in LIMIT 1) IS NOT NULL"


@dataclasses.dataclass(slots=True)
class _Held:
    """What is known, and of which moment.

    Args:
        sketches: of at least every template that was committed by then.
        seen: the snapshot of the database in which they were read.
        database: which one, and since when its server runs: snapshots say nothing to another one.
        forgot_at: when what had been deleted was forgotten, on the monotonic clock.
    """

    sketches: Sketches
    seen: str
    database: str
    forgot_at: float


_held: dict[int, _Held] = {}
"""By pack; one, but while packs are switched."""

_lock = threading.Lock()


def nearest(embedding: Embedding, pack: ActivePack, most: int) -> list[int]:
    """Primary keys of the templates whose sketches are most like a probe's.

    The first call reads all templates of the pack.

    Args:
        embedding: the probe, made by that pack.
        pack: whose templates.
        most: how many.

    Returns:
        At most so many, in no order. All are of the pack; some may be gone, or not to be searched.
    """
    found: list[int] = _current(pack).nearest(embedding.vector, most).tolist()
    return found


def hold(pack: ActivePack) -> None:
    """Reads the templates of a pack, so that the first search need not."""
    _current(pack)


def _current(pack: ActivePack) -> Sketches:
    # A plain cursor, as in `selectors.gallery`: the statement is planned once and then only run.
    connection.ensure_connection()
    with _lock, CursorWrapper(psycopg.Cursor(connection.connection), connection) as cursor:
        held = _held.get(pack.id)
        seen, database, has_news = _asked(cursor, pack, held)
        if held is None or held.database != database:
            _held.clear()  # of the pack before, which is no longer searched
            _held[pack.id] = held = _Held(_read(cursor, pack), seen, database, time.monotonic())
        elif has_news:
            _take_in(held, cursor, pack)
        held.seen = seen
        if time.monotonic() - held.forgot_at > FORGET_INTERVAL_S:
            held.sketches, held.forgot_at = held.sketches.kept(_numbers(cursor, pack)), time.monotonic()
        return held.sketches


def _asked(cursor: CursorWrapper, pack: ActivePack, held: _Held | None) -> tuple[str, str, bool]:
    """The snapshot of the database and which it is, and whether any template has come since what is held.

    What is read later is of a later moment than the snapshot, so it holds at least what that shows.
    """
    if held is None:
        cursor.execute(f"{_MOMENT}, true")
    else:
        cursor.execute(_NEWS, {"pack": pack.id, "seen": held.seen})
    row: tuple[str, str, bool] = cursor.fetchone()
    return row


def _read(cursor: CursorWrapper, pack: ActivePack) -> Sketches:
    sketches: Sketches | None = None
    query = f"SELECT id, embedding FROM {_TABLE} WHERE pack_id = %(pack)s"  # noqa: S608  # a name of our own
    for numbers, vectors in _copied(cursor, query, {"pack": pack.id}, pack.dimension):
        sketches = sketches or Sketches(vectors.mean(axis=0))
        sketches.add(numbers, vectors)
    return sketches or Sketches(np.zeros(pack.dimension, np.float32))


def _take_in(held: _Held, cursor: CursorWrapper, pack: ActivePack) -> None:
    query = f"SELECT id, embedding {_ARRIVED}"
    for numbers, vectors in _copied(cursor, query, {"pack": pack.id, "seen": held.seen}, pack.dimension):
        # What this transaction brought itself comes with every search of it.
        is_new = ~np.isin(numbers, held.sketches.numbers[-_ROWS_AT_A_TIME:])
        held.sketches.add(numbers[is_new], vectors[is_new])


def _numbers(cursor: CursorWrapper, pack: ActivePack) -> NDArray[np.int64]:
    cursor.execute(
        f"SELECT array_to_string(array_agg(id), ',') FROM {_TABLE} WHERE pack_id = %(pack)s",  # noqa: S608  # as above
        {"pack": pack.id},
    )
    text: str | None = cursor.fetchone()[0]
    return np.fromstring(text or "", np.int64, sep=",")


def _copied(
    cursor: CursorWrapper, query: str, parameters: dict[str, object], dimension: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """The rows of a query of ids and vectors, some ten thousand at a time.

    Source of the format: PostgreSQL's manual on COPY, "Binary Format", and `vector_send` of pgvector.
    """
    row = np.dtype(
        [
            ("fields", ">i2"),
            ("number_bytes", ">i4"),
            ("number", ">i8"),
            ("vector_bytes", ">i4"),
            ("dimension", ">i2"),
            ("unused", ">i2"),
            ("vector", ">f4", (dimension,)),
        ]
    )
    waiting = bytearray()
    left_of_header = _COPY_HEADER_BYTES
    with cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)", parameters) as copy:
        for piece in copy:
            skipped = min(left_of_header, len(piece))
            left_of_header -= skipped
            waiting += piece[skipped:]
            if len(waiting) >= _ROWS_AT_A_TIME * row.itemsize:
                yield _parsed(waiting, row)
                del waiting[: len(waiting) // row.itemsize * row.itemsize]
    del waiting[-_COPY_TRAILER_BYTES:]
    if waiting:
        yield _parsed(waiting, row)


def _parsed(data: bytearray, row: np.dtype[np.void]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    rows = np.frombuffer(bytes(data), row, count=len(data) // row.itemsize)
    return rows["number"].astype(np.int64), rows["vector"].astype(np.float32)
