"""A log of invented events, made by the database itself: a million takes a minute or two."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User
from django.db import connection

from recognition.models import Checkpoint, Person, RecognitionEvent, ThresholdPolicy

CHECKPOINTS = 12
EVENTS_A_PERSON = 50
POLICIES = 5
EVENTS_A_REVIEW = 2_000

SPAN = dt.timedelta(days=365)
"""Over which the events are spread."""

# Numbers are made of the row's own by multiplication with primes, so that the same log comes every time and columns
# know nothing of each other, but for what is said: what is refused has a lower similarity, and policies follow in time.
_EVENTS = """
    INSERT INTO recognition_recognitionevent (
        kind, checkpoint_id, claimed_id, claimed_person_id, transaction, decision, reasons, person_id, best_person_id,
        runner_up_id, similarity, margin, votes, thresholds, policy_id, pack_id, quality, timings, started_at,
        decided_at
    )
    SELECT
        CASE WHEN is_claim THEN 'verification' ELSE 'identification' END,
        checkpoint,
        CASE WHEN is_claim THEN 'E-' || person_number ELSE '' END,
        CASE WHEN is_claim THEN person END,
        gen_random_uuid(),
        decision,
        CASE decision
            WHEN 'accept' THEN '[]'
            WHEN 'reject_no_match' THEN jsonb_build_array(
                jsonb_build_object('reason', 'below_threshold', 'measured', similarity, 'required', 0.5)
            ) || CASE
                WHEN n %% 97 = 0 THEN '[{"reason": "pin_wrong", "measured": null, "required": null}]'::jsonb ELSE '[]'
            END
            WHEN 'reject_not_allowed' THEN '[{"reason": "suspended", "measured": null, "required": null}]'
            WHEN 'reject_ambiguous' THEN '[{"reason": "margin_too_small", "measured": 0.01, "required": 0.05}]'
            WHEN 'no_decision_quality' THEN '[{"reason": "low_sharpness", "measured": 11.5, "required": 20.0}]'
            ELSE '[{"reason": "votes_disagree", "measured": 2.0, "required": 3.0}]'
        END,
        CASE WHEN decision = 'accept' THEN person END,
        CASE WHEN has_votes THEN person END,
        CASE WHEN has_votes THEN other END,
        CASE WHEN has_votes THEN similarity END,
        CASE WHEN has_votes THEN round((similarity / 2)::numeric, 4) END,
        CASE WHEN has_votes THEN jsonb_build_array(vote, vote, vote) ELSE '[]' END,
        '{"identification_threshold": 0.5, "verification_threshold": 0.4, "margin": 0.05, "votes_needed": 3,'
            ' "votes_of": 5, "strategy": "nearest"}',
        policy,
        %(pack)s,
        CASE WHEN has_votes THEN '{"scores": {"UnifiedQualityScore": 71}}'::jsonb ELSE '{}' END,
        '{"decode": 1.5, "detect": 12.1, "embed": 9.4, "search": 2.2, "runtime": "bench"}',
        decided_at - interval '2 seconds',
        decided_at
    FROM (
        SELECT
            *,
            jsonb_build_object(
                'at_ms', 66, 'decision', decision, 'best_person', person, 'similarity', similarity,
                'runner_up', other, 'runner_up_similarity', round((similarity / 2)::numeric, 4),
                'margin', round((similarity / 2)::numeric, 4),
                'quality', jsonb_build_object('face_size_px', 160.0, 'sharpness', 90.0)
            ) AS vote
        FROM (
            SELECT
                *,
                decision LIKE 'accept' OR decision LIKE 'reject%%' AS has_votes,
                round(
                    (0.1 + 0.4 * luck + CASE WHEN decision = 'reject_no_match' THEN 0 ELSE 0.4 END)::numeric, 4
                ) AS similarity
            FROM (
                SELECT
                    n,
                    (n::bigint * 7919 %% 1000003)::float / 1000003 AS luck,
                    n::bigint * 104729 %% 5 < 2 AS is_claim,
                    n::bigint * 15485863 %% %(people)s + 1 AS person_number,
                    %(first_person)s + n::bigint * 15485863 %% %(people)s AS person,
                    %(first_person)s + n::bigint * 32452843 %% %(people)s AS other,
                    -- The first doors have the most events.
                    %(first_checkpoint)s
                        + floor(%(checkpoints)s * power((n::bigint * 611953 %% 10007) / 10007.0, 2))::int AS checkpoint,
                    (%(policies)s::bigint[])[
                        1 + (n::bigint - 1) * cardinality(%(policies)s::bigint[]) / %(rows)s
                    ] AS policy,
                    CASE
                        WHEN n::bigint * 179424673 %% 20000 = 0 THEN 'reject_pad'
                        WHEN n::bigint * 49979687 %% 1000 < 860 THEN 'accept'
                        WHEN n::bigint * 49979687 %% 1000 < 930 THEN 'reject_no_match'
                        WHEN n::bigint * 49979687 %% 1000 < 940 THEN 'reject_ambiguous'
                        WHEN n::bigint * 49979687 %% 1000 < 945 THEN 'reject_not_allowed'
                        WHEN n::bigint * 49979687 %% 1000 < 975 THEN 'no_decision_quality'
                        ELSE 'no_decision_timeout'
                    END AS decision,
                    %(begin)s + (n::float / %(rows)s) * %(span)s::interval AS decided_at
                FROM generate_series(1, %(rows)s) n
            ) AS drawn
        ) AS scored
    ) AS voted
"""

_OVERRIDES = """
    INSERT INTO recognition_eventoverride (event_id, outcome, reason, at, is_repeat)
    SELECT id, 'admitted', 'Known to the guard, badge ' || id, decided_at, false
    FROM recognition_recognitionevent WHERE decision = 'reject_no_match' AND id %% 50 = 0
"""

_VERDICTS = """
    INSERT INTO recognition_verdict (event_id, code, note, contradicts, at)
    SELECT id, CASE WHEN id %% 500 = 0 THEN 'false_match' ELSE 'true_match' END, 'twins at the gate ' || id, false,
        decided_at
    FROM recognition_recognitionevent WHERE decision = 'accept' AND id %% 250 = 0
"""

# One accept in ten was drawn, 2,000 at a time; every fifth of them is asked of two people. Of what was drawn last, and
# of every fiftieth, nobody has said anything yet; of fifty that two people judged they disagree on one.
_BATCHES = """
    INSERT INTO recognition_reviewbatch (since, until, width, second_share, seed, drawn_at, drawn_by_id)
    SELECT min(decided_at), max(decided_at) + interval '1 second', 0.03, 0.2, lot, max(decided_at), %(first_reader)s
    FROM (
        SELECT decided_at, (row_number() OVER (ORDER BY id) - 1) / %(batch)s AS lot
        FROM recognition_recognitionevent WHERE decision = 'accept' AND id %% 10 = 1
    ) AS drawn GROUP BY lot ORDER BY lot
"""

_STRATA = """
    INSERT INTO recognition_reviewstratum (batch_id, code, population, size)
    SELECT id, 'accept', 10 * %(batch)s, %(batch)s FROM recognition_reviewbatch
"""

_ITEMS = """
    INSERT INTO recognition_reviewitem (batch_id, stratum_id, event_id, position, asks_second)
    SELECT batch.id, stratum.id, drawn.id, drawn.place %% %(batch)s + 1, drawn.place %% 5 = 0
    FROM (
        SELECT id, row_number() OVER (ORDER BY id) - 1 AS place
        FROM recognition_recognitionevent WHERE decision = 'accept' AND id %% 10 = 1
    ) AS drawn
    JOIN recognition_reviewbatch batch ON batch.seed = drawn.place / %(batch)s
    JOIN recognition_reviewstratum stratum ON stratum.batch_id = batch.id
"""

_READINGS = """
    INSERT INTO recognition_verdict (event_id, code, note, item_id, reading, contradicts, by_id, at)
    SELECT
        item.event_id, CASE WHEN reading = 2 AND item.position %% 250 = 1 THEN 'spoof' ELSE 'true_match' END, '',
        item.id, reading, reading = 2 AND item.position %% 250 = 1,
        CASE reading WHEN 1 THEN %(first_reader)s ELSE %(second_reader)s END, batch.drawn_at
    FROM recognition_reviewitem item
    JOIN recognition_reviewbatch batch ON batch.id = item.batch_id
    CROSS JOIN (VALUES (1), (2)) AS readings (reading)
    WHERE reading <= 1 + item.asks_second::int AND item.position %% 50 > 0
        AND batch.id < (SELECT max(id) FROM recognition_reviewbatch)
"""


def fill(rows: int, *, pack_id: int, end: dt.datetime) -> None:
    """Adds events to an installation that has none, with people, doors, policies, overrides, reviews and verdicts.

    Args:
        rows: how many events.
        pack_id: primary key of the pack that decided.
        end: when the last one was decided, with a time zone.
    """
    count = max(rows // EVENTS_A_PERSON, 10)
    people = Person.objects.bulk_create(Person(name=f"Person {n}", external_id=f"E-{n}") for n in range(1, count + 1))
    doors = Checkpoint.objects.bulk_create(
        Checkpoint(slug=f"bench-{n}", name=f"Door {n}") for n in range(1, CHECKPOINTS + 1)
    )
    readers = [User.objects.create_user(f"bench-reader-{number}") for number in (1, 2)]
    values: dict[str, Any] = {
        "rows": rows,
        "people": count,
        "checkpoints": CHECKPOINTS,
        "policies": _policies(pack_id),
        "pack": pack_id,
        "begin": end - SPAN,
        "span": SPAN,
        "first_person": people[0].pk,
        "first_checkpoint": doors[0].pk,
        "batch": max(min(EVENTS_A_REVIEW, rows // 50), 1),
        "first_reader": readers[0].pk,
        "second_reader": readers[1].pk,
    }
    with connection.cursor() as cursor:
        # The rows fit each other by how they are made; to look that up eight times for each takes most of the time.
        cursor.execute("SET session_replication_role = replica")
        with _without_indexes():
            cursor.execute(_EVENTS, values)
        for statement in (_OVERRIDES, _VERDICTS, _BATCHES, _STRATA, _ITEMS, _READINGS):
            cursor.execute(statement, values)
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("ANALYZE")


@contextlib.contextmanager
def _without_indexes() -> Iterator[None]:
    """Has the indexes of the log made at once after the block, which is several times faster than row by row."""
    with connection.schema_editor() as editor:
        for index in RecognitionEvent._meta.indexes:
            editor.remove_index(RecognitionEvent, index)
    yield
    with connection.schema_editor() as editor:
        for index in RecognitionEvent._meta.indexes:
            editor.add_index(RecognitionEvent, index)


def _policies(pack_id: int) -> list[int]:
    """The version in force and those before it, oldest first."""
    active = ThresholdPolicy.objects.get(pack=pack_id, state=ThresholdPolicy.State.ACTIVE, checkpoint=None)
    newest = ThresholdPolicy.objects.order_by("-version").values_list("version", flat=True)[0]
    former = [
        ThresholdPolicy.objects.create(
            version=newest + number,
            pack_id=pack_id,
            state=ThresholdPolicy.State.REJECTED,
            identification_threshold=0.5,
            verification_threshold=0.4,
            reason="A benchmark.",
        )
        for number in range(1, POLICIES)
    ]
    return [*(policy.pk for policy in former), active.pk]
