"""Reads the sealed log, together with what it seals as the database holds it now."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence

from django.db.backends.utils import CursorWrapper

from recognition.models import AuditAction, SealedRow
from recognition.sealing.chain import ChainRow, Content

BATCH_ROWS = 2_000
"""Rows of the chain that are read at once; contents of that many are in memory."""

VOUCHERS = (AuditAction.PERSON_ERASED, AuditAction.RETENTION_APPLIED)
"""Actions whose entries may say under `removed` which contents they removed."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Kind:
    """How contents of a kind are read; the fields are those of migrations 0019 and 0024, in SQL over `r`.

    Args:
        table: of the row.
        key: column that holds its number.
        fields: of the content, but for links.
        links: column of each link and the table that it points to.
        is_there: when there is such a content, beside the row itself.
        joined: what else the fields are of.
    """

    table: str
    key: str
    fields: str
    links: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=dict)
    is_there: str = "true"
    joined: str = ""

    @property
    def query(self) -> str:
        """Gives number, salt, document and whether a link was emptied, for each of the numbers that are its argument.

        A link that was emptied counts with the number that it was sealed with, so that erasing what it pointed to
        changes nothing; one that points elsewhere makes another document. `OFFSET 0` has each row looked up by its
        key: the planner would rather read tables of millions for some thousand rows.
        """
        sealed = {name: f"(c.links ->> '{name}')::bigint" for name in self.links}
        links = "".join(f", '{name}', coalesce(r.{column}, {sealed[name]})" for name, (column, _) in self.links.items())
        emptied = " OR ".join(
            f"r.{column} IS NULL AND EXISTS (SELECT FROM {target} t WHERE t.id = {sealed[name]})"
            for name, (column, target) in self.links.items()
        )
        return f"""
            SELECT w.row_id, c.salt,
                CASE WHEN r.{self.key} IS NOT NULL AND ({self.is_there})
                    THEN json_build_object({self.fields}{links})::text END,
                coalesce({emptied or "false"}, false)
            FROM unnest(%s::bigint[]) w (row_id)
            LEFT JOIN LATERAL (
                SELECT * FROM recognition_sealedcontent WHERE kind = %s AND row_id = w.row_id OFFSET 0
            ) c ON true
            LEFT JOIN LATERAL (SELECT * FROM {self.table} WHERE {self.key} = w.row_id OFFSET 0) r ON true
            {self.joined}
        """  # noqa: S608  # all of it is written here

    @property
    def not_sealed(self) -> str:
        """Gives the first number that is in no row of the chain."""
        return f"""
            SELECT r.{self.key} FROM {self.table} r
            WHERE {self.is_there} AND NOT EXISTS (
                SELECT FROM recognition_sealedrow s WHERE s.kind = %s AND s.row_id = r.{self.key}
            )
            ORDER BY 1 LIMIT 1
        """  # noqa: S608  # like `query`


_PEOPLE, _USERS = "recognition_person", "auth_user"

_KINDS = {
    "event": _Kind(
        table="recognition_recognitionevent",
        key="id",
        fields="'id', r.id, 'kind', r.kind, 'checkpoint', r.checkpoint_id, 'transaction', r.transaction,"
        " 'decision', r.decision, 'reasons', r.reasons, 'similarity', r.similarity, 'margin', r.margin,"
        " 'votes', r.votes, 'thresholds', r.thresholds, 'policy', r.policy_id, 'policy_version', p.version,"
        " 'pack', m.digest, 'quality', r.quality, 'timings', r.timings,"
        " 'started_at', r.started_at AT TIME ZONE 'UTC', 'decided_at', r.decided_at AT TIME ZONE 'UTC'",
        links={
            "person": ("person_id", _PEOPLE),
            "claimed_person": ("claimed_person_id", _PEOPLE),
            "best_person": ("best_person_id", _PEOPLE),
            "best_sample": ("best_sample_id", "recognition_facesample"),
            "runner_up": ("runner_up_id", _PEOPLE),
            "device": ("device_id", "recognition_kioskdevice"),
            "operator": ("operator_id", _USERS),
        },
        joined="LEFT JOIN recognition_thresholdpolicy p ON p.id = r.policy_id"
        " LEFT JOIN recognition_modelpack m ON m.id = r.pack_id",
    ),
    "claim": _Kind(
        table="recognition_recognitionevent",
        key="id",
        fields="'event', r.id, 'claimed_id', r.claimed_id",
        is_there="r.claimed_id <> ''",
    ),
    "crop": _Kind(
        table="recognition_eventcrop",
        key="event_id",
        fields="'event', r.event_id, 'sha256', encode(sha256(r.jpeg), 'hex')",
    ),
    "override": _Kind(
        table="recognition_eventoverride",
        key="id",
        fields="'id', r.id, 'event', r.event_id, 'outcome', r.outcome, 'reason', r.reason,"
        " 'at', r.at AT TIME ZONE 'UTC', 'is_repeat', r.is_repeat",
        links={"by": ("by_id", _USERS)},
    ),
    "verdict": _Kind(
        table="recognition_verdict",
        key="id",
        fields="'id', r.id, 'event', r.event_id, 'code', r.code, 'note', r.note, 'item', r.item_id,"
        " 'reading', r.reading, 'supersedes', r.supersedes_id, 'at', r.at AT TIME ZONE 'UTC'",
        links={"by": ("by_id", _USERS)},
    ),
    "audit": _Kind(
        table="recognition_auditentry",
        key="id",
        fields="'id', r.id, 'at', r.at AT TIME ZONE 'UTC', 'action', r.action, 'subject', r.subject,"
        " 'details', r.details",
        links={"actor": ("actor_id", _USERS)},
    ),
    "hold": _Kind(
        table="recognition_legalhold",
        key="id",
        fields="'id', r.id, 'person', r.person_id, 'reason', r.reason, 'placed_at', r.placed_at AT TIME ZONE 'UTC'",
        links={"placed_by": ("placed_by_id", _USERS)},
    ),
    "event_hold": _Kind(
        table="recognition_eventhold",
        key="id",
        fields="'id', r.id, 'event', r.event_id, 'reason', r.reason, 'placed_at', r.placed_at AT TIME ZONE 'UTC'",
        links={"placed_by": ("placed_by_id", _USERS)},
    ),
}

_ROWS = """
    SELECT position, kind, row_id, digest, previous, hash FROM recognition_sealedrow
    WHERE position > %s ORDER BY position LIMIT %s
"""

# Where several vouch, the latest: one entry may have been made before its content was sealed again. `OFFSET 0` as in
# `_Kind.query`: held together otherwise, every row would be compared with every entry.
_VOUCHED = """
    SELECT w.row_id, max(s.position)
    FROM unnest(%s::bigint[]) w (row_id)
    CROSS JOIN LATERAL (
        SELECT id FROM recognition_auditentry
        WHERE details ? 'removed' AND details -> 'removed' @> jsonb_build_object(%s, jsonb_build_array(w.row_id))
            AND action = ANY(%s)
        OFFSET 0
    ) a
    CROSS JOIN LATERAL (
        SELECT position FROM recognition_sealedrow WHERE kind = 'audit' AND row_id = a.id OFFSET 0
    ) s
    GROUP BY 1
"""


def rows(cursor: CursorWrapper) -> Iterator[list[ChainRow]]:
    """The chain from its beginning, never more than `BATCH_ROWS` at once."""
    after = 0
    while True:
        cursor.execute(_ROWS, [after, BATCH_ROWS])
        found = [
            ChainRow(position, kind, row_id, bytes(digest), bytes(previous), bytes(own))
            for position, kind, row_id, digest, previous, own in cursor.fetchall()
        ]
        if not found:
            return
        after = found[-1].position
        yield found


def with_contents(cursor: CursorWrapper, chain: Sequence[ChainRow]) -> list[tuple[ChainRow, Content]]:
    """Rows of the chain, each with what it sealed as the database holds it now.

    Args:
        cursor: of a transaction that sees the database as of one moment.
        chain: at most `BATCH_ROWS` rows.
    """
    # Compiling the queries would take longer than each of them does. Everything is looked up by a key, and the planner
    # takes it for cheap to unpack every entry that vouches for something once for each row.
    cursor.execute("SET LOCAL jit = off; SET LOCAL enable_seqscan = off")
    wanted: dict[str, list[int]] = {}
    for row in chain:
        wanted.setdefault(row.kind, []).append(row.row_id)
    found = {kind: contents(cursor, kind=kind, numbers=numbers) for kind, numbers in wanted.items()}
    return [(row, found[row.kind][row.row_id]) for row in chain]


def as_chain_row(row: SealedRow) -> ChainRow:
    """A row of the table as the chain takes it."""
    return ChainRow(row.position, row.kind, row.row_id, bytes(row.digest), bytes(row.previous), bytes(row.hash))


def contents(cursor: CursorWrapper, *, kind: str, numbers: Sequence[int]) -> dict[int, Content]:
    """What there is now of contents of a kind, by number; nothing of a kind that this program does not know."""
    if kind not in _KINDS:
        return {number: Content(None, None) for number in numbers}
    cursor.execute(_KINDS[kind].query, [list(numbers), kind])
    found = {
        row_id: Content(
            salt=None if salt is None else bytes(salt),
            document=None if document is None else document.encode(),
            is_emptied=is_emptied,
        )
        for row_id, salt, document, is_emptied in cursor.fetchall()
    }
    gone = [row_id for row_id, content in found.items() if content.document is None]
    for row_id, position in _vouched(cursor, kind, gone):
        found[row_id] = dataclasses.replace(found[row_id], vouched_at=position)
    return found


def first_not_sealed(cursor: CursorWrapper) -> tuple[str, int] | None:
    """Kind and number of a row that must be in the chain and is not; None where all are."""
    for kind, how in _KINDS.items():
        cursor.execute(how.not_sealed, [kind])
        found = cursor.fetchone()
        if found is not None:
            return kind, int(found[0])
    return None


def _vouched(cursor: CursorWrapper, kind: str, gone: Collection[int]) -> list[tuple[int, int]]:
    if not gone:
        return []
    cursor.execute(_VOUCHED, [list(gone), kind, [str(action) for action in VOUCHERS]])
    return list(cursor.fetchall())
