"""A log of invented events, made by the database itself: a million takes a minute or two."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.db import connection

from recognition.models import Checkpoint, Person, RecognitionEvent, ThresholdPolicy

CHECKPOINTS = 12
EVENTS_A_PERSON = 50
POLICIES = 5

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
    INSERT INTO recognition_verdict (event_id, code, note, at)
    SELECT id, CASE WHEN id %% 500 = 0 THEN 'false_match' ELSE 'true_match' END, 'twins at the gate ' || id, decided_at
    FROM recognition_recognitionevent WHERE decision = 'accept' AND id %% 250 = 0
"""


def fill(rows: int, *, pack_id: int, end: dt.datetime) -> None:
    """Adds events to an installation that has none, with people, doors, policies, overrides and verdicts.

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
    }
    with connection.cursor() as cursor:
        # The rows fit each other by how they are made; to look that up eight times for each takes most of the time.
        cursor.execute("SET session_replication_role = replica")
        with _without_indexes():
            cursor.execute(_EVENTS, values)
        cursor.execute(_OVERRIDES, values)
        cursor.execute(_VERDICTS, values)
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
