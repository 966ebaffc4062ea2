"""Fills a throwaway gallery with templates of people who do not exist."""

from __future__ import annotations

import struct

import numpy as np
from django.db import connection

from recognition.evaluation.face_like import FaceLikeGallery

_COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_COPY_TRAILER = struct.pack(">h", -1)
_ROWS_AT_A_TIME = 20_000

_PEOPLE = """
    INSERT INTO recognition_person (
        uid, name, notes, is_active, is_suspended, keeps_photos, pin_hash, created_at
    )
    SELECT gen_random_uuid(), 'Person ' || n, '', true, false, false, '', now() FROM generate_series(1, %s) n
"""
_SAMPLES = """
    INSERT INTO recognition_facesample (
        uid, person_id, status, source, pose, quality, doubts, image_sha256, created_at
    )
    SELECT gen_random_uuid(), person.id, 'active', 'import', '', '{}', '[]', person.id || '-' || n, now()
    FROM recognition_person person, generate_series(1, %s) n ORDER BY person.id, n
"""


def fill(gallery: FaceLikeGallery, *, pack_id: int) -> None:
    """Enrols everybody of a gallery in an installation that has nobody.

    Afterwards the sample of the first vector has the lowest primary key, and so on.

    Args:
        gallery: whom.
        pack_id: primary key of the pack that their vectors are said to be of.
    """
    people = len(gallery.vectors) // gallery.samples_each
    with connection.cursor() as cursor:
        # The rows fit each other by how they are made; to look that up for each takes most of the time.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(_PEOPLE, [people])
        cursor.execute(_SAMPLES, [gallery.samples_each])
        cursor.execute("SELECT min(id) FROM recognition_facesample")
        (first,) = cursor.fetchone()
        columns = "sample_id, pack_id, embedding"
        with cursor.copy(f"COPY recognition_facetemplate ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(_COPY_HEADER)
            for begin in range(0, len(gallery.vectors), _ROWS_AT_A_TIME):
                copy.write(_rows(gallery, begin, first + begin, pack_id))
            copy.write(_COPY_TRAILER)
        cursor.execute("SET session_replication_role = DEFAULT")
        # What autovacuum does by itself soon after so many rows have come.
        cursor.execute("VACUUM ANALYZE")


def _rows(gallery: FaceLikeGallery, begin: int, first_sample: int, pack_id: int) -> bytes:
    """Rows as COPY reads them; see `selectors.sketched`, which reads such."""
    vectors = gallery.vectors[begin : begin + _ROWS_AT_A_TIME]
    dimension = vectors.shape[1]
    number = [("bytes", ">i4"), ("value", ">i8")]
    vector = [("bytes", ">i4"), ("dimension", ">i2"), ("unused", ">i2"), ("value", ">f4", (dimension,))]
    row = np.dtype([("fields", ">i2"), ("sample", number), ("pack", number), ("embedding", vector)])
    rows = np.zeros(len(vectors), row)
    rows["fields"] = 3
    rows["sample"]["bytes"] = rows["pack"]["bytes"] = 8
    rows["sample"]["value"] = np.arange(first_sample, first_sample + len(vectors))
    rows["pack"]["value"] = pack_id
    rows["embedding"]["bytes"] = 4 + 4 * dimension
    rows["embedding"]["dimension"] = dimension
    rows["embedding"]["value"] = vectors
    return rows.tobytes()
