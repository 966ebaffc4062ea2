from __future__ import annotations

from django.db import migrations, models

DECISIONS = [
    "accept",
    "reject_no_match",
    "reject_not_allowed",
    "reject_ambiguous",
    "reject_pad",
    "no_decision_quality",
    "no_decision_multiple_faces",
    "no_decision_timeout",
    "locked_out",
    "error",
]

KEPT = {
    # Links that erasing a person, a sample, a kiosk or an account empties; nothing else of a row changes.
    "recognitionevent": (
        "person_id",
        "claimed_person_id",
        "best_person_id",
        "best_sample_id",
        "runner_up_id",
        "device_id",
        "operator_id",
    ),
    "eventoverride": ("by_id",),
    "auditentry": ("actor_id",),
    "eventcrop": (),
}


def _trigger(table: str, links: tuple[str, ...]) -> migrations.RunSQL:
    # Rows may go, so that events can be removed after a time and a probe at once; but for the audit trail, which
    # says who removed what.
    operations = "UPDATE OR DELETE" if table == "auditentry" else "UPDATE"
    arguments = ", ".join(f"'{link}'" for link in links)
    return migrations.RunSQL(
        sql=f"""
            CREATE TRIGGER recognition_{table}_keep BEFORE {operations} ON recognition_{table}
            FOR EACH ROW EXECUTE FUNCTION recognition_keep_row({arguments});
        """,
        reverse_sql=f"DROP TRIGGER recognition_{table}_keep ON recognition_{table};",
    )


class Migration(migrations.Migration):
    """What was decided and done stays as it was stored, whoever writes to the database."""

    dependencies = [("recognition", "0005_policy_guard")]

    operations = [
        migrations.AddConstraint(
            model_name="recognitionevent",
            constraint=models.CheckConstraint(
                condition=models.Q(decision__in=DECISIONS), name="an_event_has_a_known_decision"
            ),
        ),
        migrations.AddConstraint(
            model_name="recognitionevent",
            constraint=models.CheckConstraint(
                condition=models.Q(kind__in=["identification", "verification"]), name="an_event_has_a_known_kind"
            ),
        ),
        migrations.RunSQL(
            sql="""
                CREATE FUNCTION recognition_keep_row() RETURNS trigger LANGUAGE plpgsql AS $$
                DECLARE
                    -- The columns that may become null, as the trigger names them; null when it names none.
                    links text[] := coalesce(TG_ARGV[:], ARRAY[]::text[]);
                    link text;
                    is_kept boolean;
                BEGIN
                    IF TG_OP = 'DELETE' THEN
                        RAISE EXCEPTION '% %: a row of it is never removed', TG_TABLE_NAME, to_jsonb(OLD) ->> 'id'
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    is_kept := to_jsonb(NEW) - links = to_jsonb(OLD) - links;
                    FOREACH link IN ARRAY links LOOP
                        is_kept := is_kept AND (
                            to_jsonb(NEW) ->> link IS NULL
                            OR to_jsonb(NEW) ->> link IS NOT DISTINCT FROM to_jsonb(OLD) ->> link
                        );
                    END LOOP;
                    IF NOT is_kept THEN
                        RAISE EXCEPTION '%: a row of it never changes, but for links to what is erased', TG_TABLE_NAME
                            USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN NEW;
                END
                $$;
            """,
            reverse_sql="DROP FUNCTION recognition_keep_row();",
        ),
        *(_trigger(table, links) for table, links in KEPT.items()),
    ]
