from __future__ import annotations

import django.db.models.fields.json
from django.db import migrations, models

KINDS = [
    ("event", "event"),
    ("claim", "claimed id of an event"),
    ("crop", "picture of an event"),
    ("override", "override"),
    ("verdict", "verdict"),
    ("audit", "audit entry"),
    ("hold", "legal hold"),
    ("event_hold", "hold on an event"),
]

# As in migration 0019, whose functions seal them. Who lifted a hold is in the audit entry of that.
CONTENTS = """
    CREATE FUNCTION recognition_content_hold(number bigint, OUT content text, OUT links jsonb)
    LANGUAGE plpgsql STABLE AS $$
    BEGIN
        SELECT json_build_object(
            'id', row.id, 'person', row.person_id, 'reason', row.reason,
            'placed_at', row.placed_at AT TIME ZONE 'UTC', 'placed_by', row.placed_by_id
        )::text, jsonb_build_object('placed_by', row.placed_by_id)
        INTO content, links FROM recognition_legalhold row WHERE row.id = number;
    END
    $$;
    CREATE FUNCTION recognition_content_event_hold(number bigint, OUT content text, OUT links jsonb)
    LANGUAGE plpgsql STABLE AS $$
    BEGIN
        SELECT json_build_object(
            'id', row.id, 'event', row.event_id, 'reason', row.reason,
            'placed_at', row.placed_at AT TIME ZONE 'UTC', 'placed_by', row.placed_by_id
        )::text, jsonb_build_object('placed_by', row.placed_by_id)
        INTO content, links FROM recognition_eventhold row WHERE row.id = number;
    END
    $$;
"""

REMOVE_CONTENTS = """
    DROP FUNCTION recognition_content_hold;
    DROP FUNCTION recognition_content_event_hold;
"""


def sealed_content(*kinds: str) -> str:
    """The function that reads a content of any of the kinds."""
    cases = "\n".join(
        f"WHEN '{kind}' THEN SELECT * INTO content, links FROM recognition_content_{kind}(number);" for kind in kinds
    )
    return f"""
        CREATE OR REPLACE FUNCTION recognition_sealed_content(
            kind text, number bigint, OUT content text, OUT links jsonb
        ) LANGUAGE plpgsql STABLE SET extra_float_digits = 1 AS $$
        BEGIN
            -- Each by its name, because a session keeps the plans of what it need not put together first.
            CASE kind
                {cases}
            END CASE;
        END
        $$;
    """


# Holds that were placed before enter the chain now.
ENTER = """
    DO $$
    DECLARE
        found record;
    BEGIN
        FOR found IN
            SELECT placed_at AS at, 'hold' AS kind, id AS number FROM recognition_legalhold
            UNION ALL SELECT placed_at, 'event_hold', id FROM recognition_eventhold
            ORDER BY at, kind, number
        LOOP
            PERFORM recognition_prepare_seal(found.kind, found.number);
            PERFORM recognition_append_seal(made) FROM recognition_sealedcontent made
            WHERE made.kind = found.kind AND made.row_id = found.number;
        END LOOP;
    END
    $$;
"""

TRIGGERS = """
    CREATE CONSTRAINT TRIGGER recognition_seal AFTER INSERT ON recognition_legalhold
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION recognition_seal('hold');
    CREATE CONSTRAINT TRIGGER recognition_seal AFTER INSERT ON recognition_eventhold
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION recognition_seal('event_hold');
"""

REMOVE_TRIGGERS = """
    DROP TRIGGER recognition_seal ON recognition_legalhold;
    DROP TRIGGER recognition_seal ON recognition_eventhold;
"""


class Migration(migrations.Migration):
    """Holds are sealed with their reasons, and the history of a person is found by an index."""

    dependencies = [("recognition", "0023_retention_removed_until")]

    operations = [
        *(
            migrations.AlterField(model, "kind", models.CharField(choices=KINDS, max_length=20))
            for model in ("sealedrow", "sealedcontent")
        ),
        migrations.RunSQL(sql=CONTENTS, reverse_sql=REMOVE_CONTENTS),
        migrations.RunSQL(
            sql=sealed_content("event", "claim", "crop", "override", "verdict", "audit", "hold", "event_hold"),
            reverse_sql=sealed_content("event", "claim", "crop", "override", "verdict", "audit"),
        ),
        migrations.RunSQL(sql=ENTER, reverse_sql=migrations.RunSQL.noop),
        migrations.RunSQL(sql=TRIGGERS, reverse_sql=REMOVE_TRIGGERS),
        migrations.AddIndex("auditentry", models.Index(fields=["subject"], name="audit_by_subject")),
        migrations.AddIndex(
            "auditentry",
            models.Index(
                django.db.models.fields.json.KeyTransform("person", "details"),
                condition=models.Q(("subject__startswith", "facesample:")),
                name="audit_of_samples_by_person",
            ),
        ),
    ]
