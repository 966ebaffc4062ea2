from __future__ import annotations

from django.db import migrations, models

KINDS = [
    ("event", "event"),
    ("claim", "claimed id of an event"),
    ("crop", "picture of an event"),
    ("override", "override"),
    ("verdict", "verdict"),
    ("audit", "audit entry"),
]

# What is sealed of each kind: a JSON text with these fields in this order, then the links, which are numbers that
# erasing what they point to empties, then what it is read from. Nested values are jsonb, which has one text for each
# value, and times are in UTC without a zone: the text depends on no session.
# Another form of a content needs another kind: what was sealed is read in this one for ever
# (`recognition.selectors.sealed_log`).
CONTENTS = {
    "event": (
        """
            'id', row.id, 'kind', row.kind, 'checkpoint', row.checkpoint_id, 'transaction', row.transaction,
            'decision', row.decision, 'reasons', row.reasons, 'similarity', row.similarity, 'margin', row.margin,
            'votes', row.votes, 'thresholds', row.thresholds, 'policy', row.policy_id,
            'policy_version', policy.version, 'pack', pack.digest, 'quality', row.quality, 'timings', row.timings,
            'started_at', row.started_at AT TIME ZONE 'UTC', 'decided_at', row.decided_at AT TIME ZONE 'UTC'
        """,
        """
            'person', row.person_id, 'claimed_person', row.claimed_person_id, 'best_person', row.best_person_id,
            'best_sample', row.best_sample_id, 'runner_up', row.runner_up_id, 'device', row.device_id,
            'operator', row.operator_id
        """,
        """
            recognition_recognitionevent row
            JOIN recognition_thresholdpolicy policy ON policy.id = row.policy_id
            JOIN recognition_modelpack pack ON pack.id = row.pack_id
            WHERE row.id = number
        """,
    ),
    "claim": (
        "'event', row.id, 'claimed_id', row.claimed_id",
        "",
        "recognition_recognitionevent row WHERE row.id = number AND row.claimed_id <> ''",
    ),
    "crop": (
        "'event', row.event_id, 'sha256', encode(sha256(row.jpeg), 'hex')",
        "",
        "recognition_eventcrop row WHERE row.event_id = number",
    ),
    "override": (
        """
            'id', row.id, 'event', row.event_id, 'outcome', row.outcome, 'reason', row.reason,
            'at', row.at AT TIME ZONE 'UTC', 'is_repeat', row.is_repeat
        """,
        "'by', row.by_id",
        "recognition_eventoverride row WHERE row.id = number",
    ),
    "verdict": (
        """
            'id', row.id, 'event', row.event_id, 'code', row.code, 'note', row.note, 'item', row.item_id,
            'reading', row.reading, 'supersedes', row.supersedes_id, 'at', row.at AT TIME ZONE 'UTC'
        """,
        "'by', row.by_id",
        "recognition_verdict row WHERE row.id = number",
    ),
    "audit": (
        """
            'id', row.id, 'at', row.at AT TIME ZONE 'UTC', 'action', row.action, 'subject', row.subject,
            'details', row.details
        """,
        "'actor', row.actor_id",
        "recognition_auditentry row WHERE row.id = number",
    ),
}

# Which kinds are made of a row of each table.
SEALED = {
    "recognitionevent": ("event", "claim"),
    "eventcrop": ("crop",),
    "eventoverride": ("override",),
    "verdict": ("verdict",),
    "auditentry": ("audit",),
}

# The head of the chain is locked last of all: constraint triggers run when the transaction commits, in the order of
# what was written, and those that they give rise to themselves run after all others. So `recognition_seal` comes in
# that order and writes a salt, which brings `recognition_append` when every foreign key was looked at. Whoever holds
# the head waits for nobody, and holds it for as long as a commit takes.
FUNCTIONS = """
    CREATE FUNCTION recognition_sealed_content(kind text, number bigint, OUT content text, OUT links jsonb)
    LANGUAGE plpgsql STABLE SET extra_float_digits = 1 AS $$
    BEGIN
        -- Each by its name, because a session keeps the plans of what it need not put together first.
        CASE kind
            WHEN 'event' THEN SELECT * INTO content, links FROM recognition_content_event(number);
            WHEN 'claim' THEN SELECT * INTO content, links FROM recognition_content_claim(number);
            WHEN 'crop' THEN SELECT * INTO content, links FROM recognition_content_crop(number);
            WHEN 'override' THEN SELECT * INTO content, links FROM recognition_content_override(number);
            WHEN 'verdict' THEN SELECT * INTO content, links FROM recognition_content_verdict(number);
            WHEN 'audit' THEN SELECT * INTO content, links FROM recognition_content_audit(number);
        END CASE;
    END
    $$;

    CREATE FUNCTION recognition_prepare_seal(kind text, number bigint) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO recognition_sealedcontent (kind, row_id, salt, links)
        SELECT $1, $2, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), found.links
        FROM recognition_sealed_content($1, $2) found WHERE found.content IS NOT NULL;
    END
    $$;

    CREATE FUNCTION recognition_append_seal(sealed recognition_sealedcontent) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        content text := (recognition_sealed_content(sealed.kind, sealed.row_id)).content;
        digest bytea := sha256('faceweb sealed content 1\\000'::bytea || sealed.salt || convert_to(content, 'UTF8'));
        place bigint;
        head bytea;
    BEGIN
        PERFORM pg_advisory_xact_lock(6184309127754083);
        SELECT position, hash INTO place, head FROM recognition_sealedrow ORDER BY position DESC LIMIT 1;
        place := coalesce(place, 0) + 1;
        head := coalesce(head, decode(repeat('00', 32), 'hex'));
        INSERT INTO recognition_sealedrow (position, kind, row_id, digest, previous, hash) VALUES (
            place, sealed.kind, sealed.row_id, digest, head,
            sha256(
                'faceweb sealed row 1\\000'::bytea || int8send(place)
                || int4send(octet_length(convert_to(sealed.kind, 'UTF8'))) || convert_to(sealed.kind, 'UTF8')
                || int8send(sealed.row_id) || digest || head
            )
        );
    END
    $$;

    -- Its arguments: each kind that is made of the row.
    CREATE FUNCTION recognition_seal() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        number bigint;
    BEGIN
        IF TG_TABLE_NAME = 'recognition_eventcrop' THEN
            number := NEW.event_id;
        ELSE
            number := NEW.id;
        END IF;
        FOR i IN 0 .. TG_NARGS - 1 LOOP
            PERFORM recognition_prepare_seal(TG_ARGV[i], number);
        END LOOP;
        RETURN NULL;
    END
    $$;

    CREATE FUNCTION recognition_append() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM recognition_append_seal(NEW);
        RETURN NULL;
    END
    $$;

    -- A salt that did not come from the trigger above, as when a backup is loaded, has its row already.
    CREATE CONSTRAINT TRIGGER recognition_append AFTER INSERT ON recognition_sealedcontent
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (pg_trigger_depth() > 0) EXECUTE FUNCTION recognition_append();
"""

GUARD = """
    CREATE FUNCTION recognition_keep_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        is_empty boolean;
    BEGIN
        IF TG_OP = 'TRUNCATE' THEN
            EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I)', TG_TABLE_NAME) INTO is_empty;
            IF is_empty THEN
                RETURN NULL;
            END IF;
        END IF;
        RAISE EXCEPTION '%: rows of it are added and never changed', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END
    $$;
    CREATE TRIGGER recognition_sealedrow_keep BEFORE UPDATE OR DELETE ON recognition_sealedrow
    FOR EACH ROW EXECUTE FUNCTION recognition_keep_sealed();
    CREATE TRIGGER recognition_sealedcontent_keep BEFORE UPDATE ON recognition_sealedcontent
    FOR EACH ROW EXECUTE FUNCTION recognition_keep_sealed();
    CREATE TRIGGER recognition_keep_all BEFORE TRUNCATE ON recognition_sealedrow
    FOR EACH STATEMENT EXECUTE FUNCTION recognition_keep_sealed();
    CREATE TRIGGER recognition_keep_all BEFORE TRUNCATE ON recognition_sealedcontent
    FOR EACH STATEMENT EXECUTE FUNCTION recognition_keep_sealed();

    -- By it `recognition.selectors.sealed_log` finds who vouches for what was removed.
    CREATE INDEX recognition_auditentry_removed ON recognition_auditentry
    USING gin ((details -> 'removed') jsonb_path_ops) WHERE details ? 'removed';
"""

# What the database holds already enters the chain in the order of time.
ENTER = """
    DO $$
    DECLARE
        found record;
    BEGIN
        FOR found IN
            SELECT decided_at AS at, 1 AS rank, 'event' AS kind, id AS number FROM recognition_recognitionevent
            UNION ALL SELECT decided_at, 2, 'claim', id FROM recognition_recognitionevent WHERE claimed_id <> ''
            UNION ALL SELECT event.decided_at, 3, 'crop', event.id
                FROM recognition_eventcrop crop JOIN recognition_recognitionevent event ON event.id = crop.event_id
            UNION ALL SELECT at, 4, 'override', id FROM recognition_eventoverride
            UNION ALL SELECT at, 5, 'verdict', id FROM recognition_verdict
            UNION ALL SELECT at, 6, 'audit', id FROM recognition_auditentry
            ORDER BY at, rank, number
        LOOP
            PERFORM recognition_prepare_seal(found.kind, found.number);
            PERFORM recognition_append_seal(made) FROM recognition_sealedcontent made
            WHERE made.kind = found.kind AND made.row_id = found.number;
        END LOOP;
    END
    $$;
"""


def _content(kind: str, fields: str, links: str, rows: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        sql=f"""
            CREATE FUNCTION recognition_content_{kind}(number bigint, OUT content text, OUT links jsonb)
            LANGUAGE plpgsql STABLE AS $$
            BEGIN
                SELECT json_build_object({", ".join(filter(None, [fields, links]))})::text, jsonb_build_object({links})
                INTO content, links FROM {rows};
            END
            $$;
        """,
        reverse_sql=f"DROP FUNCTION recognition_content_{kind};",
    )


def _trigger(table: str, kinds: tuple[str, ...]) -> migrations.RunSQL:
    arguments = ", ".join(f"'{kind}'" for kind in kinds)
    return migrations.RunSQL(
        sql=f"""
            CREATE CONSTRAINT TRIGGER recognition_seal AFTER INSERT ON recognition_{table}
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION recognition_seal({arguments});
        """,
        reverse_sql=f"DROP TRIGGER recognition_seal ON recognition_{table};",
    )


class Migration(migrations.Migration):
    """What is decided and done is sealed in a chain of hashes, and what was before enters it."""

    dependencies = [("recognition", "0018_thresholds")]

    operations = [
        migrations.CreateModel(
            name="SealedRow",
            fields=[
                ("position", models.BigIntegerField(primary_key=True, serialize=False)),
                ("kind", models.CharField(choices=KINDS, max_length=20)),
                ("row_id", models.BigIntegerField()),
                ("digest", models.BinaryField()),
                ("previous", models.BinaryField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "verbose_name": "row of the sealed log",
                "verbose_name_plural": "sealed log",
                "ordering": ["position"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "row_id"), name="what_is_sealed_is_sealed_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="SealedContent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=KINDS, max_length=20)),
                ("row_id", models.BigIntegerField()),
                ("salt", models.BinaryField()),
                ("links", models.JSONField(default=dict)),
            ],
            options={
                "verbose_name": "salt of the sealed log",
                "verbose_name_plural": "salts of the sealed log",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "row_id"), name="what_is_sealed_has_one_salt")
                ],
            },
        ),
        *(_content(kind, *parts) for kind, parts in CONTENTS.items()),
        migrations.RunSQL(
            sql=FUNCTIONS,
            reverse_sql="""
                DROP FUNCTION recognition_append() CASCADE;
                DROP FUNCTION recognition_append_seal(recognition_sealedcontent);
                DROP FUNCTION recognition_prepare_seal(text, bigint);
                DROP FUNCTION recognition_sealed_content(text, bigint);
                DROP FUNCTION recognition_seal();
            """,
        ),
        migrations.RunSQL(sql=ENTER, reverse_sql=migrations.RunSQL.noop),
        *(_trigger(table, kinds) for table, kinds in SEALED.items()),
        migrations.RunSQL(
            sql=GUARD,
            reverse_sql="""
                DROP FUNCTION recognition_keep_sealed() CASCADE;
                DROP INDEX recognition_auditentry_removed;
            """,
        ),
    ]
