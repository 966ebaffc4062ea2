"""What sealing costs and how fast a long sealed log is verified: `python -m tests.sealed_log_size --events 1000000`.

Works on an installation of its own, in a temporary directory that goes afterwards. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import resource
import statistics
import time
from contextlib import ExitStack

from faceweb import embedded, env
from tests import installations

WRITES = 1000
"""Events that are stored one by one, each in a transaction of its own."""

AT_ONCE = 10_000
"""Events of one fill, a second apart."""

_FILL = """
    INSERT INTO recognition_recognitionevent (
        kind, claimed_id, transaction, decision, reasons, similarity, margin, votes, thresholds, quality, timings,
        policy_id, pack_id, started_at, decided_at
    )
    SELECT 'identification', '', gen_random_uuid(), CASE WHEN n %% 5 = 0 THEN 'reject_no_match' ELSE 'accept' END,
        '[{"reason": "below_threshold", "measured": 0.31, "required": 0.5}]', 0.3 + (n %% 7000) / 10000.0, 0.2,
        (
            SELECT jsonb_agg(jsonb_build_object(
                'decision', 'accept', 'counts', true, 'at_s', vote * 0.2, 'best', 11, 'similarity', 0.5 + vote / 100.0,
                'runner_up', 12, 'runner_up_similarity', 0.21, 'margin', 0.29, 'quality', 0.8123
            )) FROM generate_series(1, 3) vote
        ),
        '{"identification_threshold": 0.5, "verification_threshold": 0.4, "margin": 0.1, "votes_needed": 3}',
        '{"face_size_px": 112.0, "sharpness": 200.0, "luminance_mean": 0.5, "yaw_degrees": 1.5, "visible_fraction": 1}',
        '{"decode_ms": 2.31, "detect_ms": 9.7, "embed_ms": 11.23, "search_ms": 2.5, "runtime": "openvino"}',
        policy.id, policy.pack_id, now() - n * interval '1 second', now() - n * interval '1 second'
    FROM generate_series(1, %s) n, (SELECT * FROM recognition_thresholdpolicy LIMIT 1) policy
"""


def fill(events: int, *, at_once: int = AT_ONCE) -> None:
    """Stores events with three votes each, and has them sealed."""
    from django.db import connection

    for done in range(0, events, at_once):
        with connection.cursor() as cursor:
            cursor.execute(_FILL, [min(at_once, events - done)])


def _writes_ms(sealed: bool) -> list[float]:
    """How long storing an event takes, to the end of its transaction."""
    from django.db import connection

    verb = "ENABLE" if sealed else "DISABLE"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE recognition_recognitionevent {verb} TRIGGER recognition_seal")
    took = []
    for _ in range(WRITES):
        began = time.perf_counter()
        fill(1)
        took.append((time.perf_counter() - began) * 1000)
    return took


def _measured(events: int) -> dict[str, object]:
    from recognition.models import RecognitionEvent
    from recognition.services import sealed_log
    from tests import fakes

    fakes.activated_pack()
    plain = _writes_ms(sealed=False)
    # They were stored past the trigger, so that verifying would tell of them.
    RecognitionEvent.objects.all().delete()
    sealed = _writes_ms(sealed=True)
    began = time.perf_counter()
    fill(events)
    filled_s = time.perf_counter() - began
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = sealed_log.verify()
    grew_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024
    began = time.perf_counter()
    removed = _remove_half(events)
    removed_s = time.perf_counter() - began
    after_removal = sealed_log.verify()
    return {
        "write_ms_median": {"not_sealed": statistics.median(plain), "sealed": statistics.median(sealed)},
        "write_ms_p95": {
            "not_sealed": statistics.quantiles(plain, n=20)[-1],
            "sealed": statistics.quantiles(sealed, n=20)[-1],
        },
        "filled_s": filled_s,
        "rows": found.rows,
        "first_broken": str(found.first_broken.fault) if found.first_broken else None,
        "rows_per_s": found.rows_per_s,
        "grew_mb": grew_mb,
        "removed": removed,
        "removed_s": removed_s,
        "after_removal": {
            "rows": after_removal.rows,
            "first_broken": str(after_removal.first_broken.fault) if after_removal.first_broken else None,
            "rows_per_s": after_removal.rows_per_s,
        },
    }


def _remove_half(events: int) -> int:
    """Has retention remove the older half, as it would by itself; gives how many went."""
    from django.utils import timezone

    from recognition.models import RetentionRule
    from recognition.services import retention

    RetentionRule.objects.update(event_days=1)
    # The older half of each fill is then older than a day.
    now = timezone.now() + dt.timedelta(days=1, seconds=-min(events, AT_ONCE) / 2)
    removed = 0
    while found := retention.apply(now=now).events:
        removed += found
    return removed


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    events = parser.parse_args().events
    with ExitStack() as stack:
        directory = stack.enter_context(installations.temporary_state_dir())
        env.STATE_DIR.tell(str(directory))
        env.SETTINGS_MODULE.tell("faceweb.settings.dev")
        stack.enter_context(embedded.running(embedded.place(), command="measure", wait_says=print))

        import django

        django.setup()

        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        stack.callback(connection.close)
        print(json.dumps(_measured(events), indent=1))


if __name__ == "__main__":
    main()
